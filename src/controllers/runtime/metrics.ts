/** The controllers, by the names that logs and metrics use. */
export type ControllerName = "allocator" | "circle-watch" | "circle-healthcheck";

/** What controllers tell whoever counts. All labels have few values; names of objects go to the log. */
export interface ControllerMetrics {
  /** A watch event entered a controller's queue. */
  readonly hookFired: (controller: ControllerName, hook: string) => void;
  /** A key was worked on. */
  readonly reconciled: (controller: ControllerName, durationMs: number, succeeded: boolean) => void;
  /** A probe came back. */
  readonly probed: (checkType: string, code: string, durationMs: number, latenessMs: number) => void;
  /** A probe started so late that the server may not keep up. */
  readonly probedLate: () => void;
  /** A member's verdict changed. */
  readonly verdictChanged: (verdict: string) => void;
  /** Verdicts were frozen because most of the fleet failed at once, or released again. */
  readonly freezeChanged: (isFrozen: boolean) => void;
  /** How full an address pool is, in connect addresses. */
  readonly addressPoolUsed: (
    addressPool: string,
    capacityCount: number,
    usedCount: number,
    quarantinedCount: number,
  ) => void;
}

/** Counts nothing. */
export const noMetrics: ControllerMetrics = {
  hookFired: () => undefined,
  reconciled: () => undefined,
  probed: () => undefined,
  probedLate: () => undefined,
  verdictChanged: () => undefined,
  freezeChanged: () => undefined,
  addressPoolUsed: () => undefined,
};
