import { backoffMs, type Clock, type Logger } from "../foundation/index.ts";

/** A loop that runs as long as the server does, and is started again when it fails. */
export interface Task {
  readonly name: string;
  /** What is wrong with it now, if anything. */
  readonly problem: () => string | undefined;
  /** Resolves when it has ended after the signal. */
  readonly ended: Promise<void>;
}

/** What a task runs in. */
export interface TaskSurroundings {
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

const BACKOFF = { baseMs: 500, maxMs: 30_000 };

/** Starts `run` and keeps it running until the signal aborts. */
export function startTask(
  name: string,
  run: (signal: AbortSignal) => Promise<void>,
  { log, clock, random, signal }: TaskSurroundings,
): Task {
  let problem: string | undefined;
  const keepRunning = async () => {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const startedMs = clock.monotonicMs();
      const failure = await failureOf(() => run(signal));
      if (signal.aborted) return;
      if (clock.monotonicMs() - startedMs > BACKOFF.maxMs) attempt = 0;
      problem = failure instanceof Error ? failure.message : "it ended by itself";
      const waitMs = backoffMs(attempt, { ...BACKOFF, random });
      log.error("task failed, starting it again", { task: name, error: failure, waitMs });
      await clock.sleep(waitMs, signal).catch(() => undefined);
      problem = undefined;
    }
  };
  return { name, problem: () => problem, ended: keepRunning() };
}

async function failureOf(run: () => Promise<void>): Promise<unknown> {
  try {
    await run();
    return undefined;
  } catch (failure) {
    return failure;
  }
}
