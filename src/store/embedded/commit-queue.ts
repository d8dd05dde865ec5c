import { ParasausError } from "../../foundation/index.ts";
import type { Batch } from "./batch.ts";

const MAX_JOBS_PER_COMMIT = 1_000;
const MAX_MESSAGES_CHARACTERS = 8_000_000;

interface Job {
  /** How much it may write, characters. */
  readonly size: number;
  /** Decides on the batch as the jobs before it left it; throws to be refused alone. Returns how to answer. */
  readonly decide: (batch: Batch) => () => void;
  readonly refuse: (failure: unknown) => void;
}

/** What the queue drives. */
export interface CommitTarget {
  /** A batch on top of what is committed. */
  begin(): Batch;
  /** Brings a batch to disk and then into memory. */
  commit(batch: Batch): Promise<void>;
}

/**
 * Group commit: what arrives while the disk is busy goes into one write together.
 * A job is answered only after its batch is on disk; readers see a batch only then, too.
 */
export class CommitQueue {
  readonly #target: CommitTarget;
  #jobs: Job[] = [];
  #draining: Promise<void> | undefined;
  #isClosed = false;

  constructor(target: CommitTarget) {
    this.#target = target;
  }

  /** @throws ParasausError what `decide` throws, or why the batch did not reach the disk */
  run<T>(size: number, decide: (batch: Batch) => T): Promise<T> {
    if (this.#isClosed)
      return Promise.reject(new ParasausError("Unavailable", "Cannot write: the store is closed"));
    return new Promise((resolve, reject) => {
      this.#jobs.push({
        size,
        decide: (batch) => {
          const answer = decide(batch);
          return () => resolve(answer);
        },
        refuse: reject,
      });
      this.#draining ??= this.#drain();
    });
  }

  /** Commits what was accepted, then refuses more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#draining;
  }

  async #drain(): Promise<void> {
    // Let everybody who writes in this turn of the event loop into the first batch.
    await Promise.resolve();
    while (this.#jobs.length > 0) await this.#commit(this.#takeJobs());
    this.#draining = undefined;
  }

  #takeJobs(): Job[] {
    let size = 0;
    const fits = (job: Job, index: number) => {
      size += job.size;
      return index === 0 || (index < MAX_JOBS_PER_COMMIT && size <= MAX_MESSAGES_CHARACTERS);
    };
    const end = this.#jobs.findIndex((job, index) => !fits(job, index));
    return this.#jobs.splice(0, end < 0 ? this.#jobs.length : end);
  }

  async #commit(jobs: readonly Job[]): Promise<void> {
    const decided = new Map<Job, () => void>();
    try {
      const batch = this.#target.begin();
      for (const job of jobs) {
        const answer = decideAlone(job, batch);
        if (answer) decided.set(job, answer);
      }
      if (!batch.isEmpty) await this.#target.commit(batch);
    } catch (failure) {
      // Those that were refused alone have their answer already; a second one changes nothing.
      for (const job of jobs) job.refuse(failure);
      return;
    }
    for (const answer of decided.values()) answer();
  }
}

function decideAlone(job: Job, batch: Batch): (() => void) | undefined {
  try {
    return job.decide(batch);
  } catch (failure) {
    job.refuse(failure);
    return undefined;
  }
}
