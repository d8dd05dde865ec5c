import type { Resources } from "../../resources/index.ts";

/** The right to do one piece of work. Several servers may want it; one has it at a time. */
export interface Tenure {
  /** The objects. A write in the name of a right that has gone to another server is refused with `FenceLost`. */
  readonly resources: Resources;
  /** Aborts when the right may be lost: nothing more may be begun. */
  readonly signal: AbortSignal;
}

/** Where controllers get the right to work from. */
export interface Authority {
  /**
   * Does `work` while this process leads in `name`, anew each time that it comes to lead, until the signal aborts.
   *
   * @param name One word for the work, by which all servers know it.
   * @param work Ends after its tenure's signal has aborted; the right is given back then.
   * @throws what `work` throws
   */
  lead(name: string, work: (tenure: Tenure) => Promise<void>, signal: AbortSignal): Promise<void>;
}

/** For a process that is the only one to run controllers: it always leads. */
export function soleAuthority(resources: Resources): Authority {
  return { lead: (_name, work, signal) => work({ resources, signal }) };
}
