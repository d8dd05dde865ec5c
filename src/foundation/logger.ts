/** Flat facts of one log line; values are JSON scalars, short arrays or an Error under `error`. */
export type LogFacts = Readonly<Record<string, unknown>>;

/**
 * Structured logger, handed down from the composition root, one child per component.
 * The event is a constant phrase; what varies goes into the facts.
 */
export interface Logger {
  debug(event: string, facts?: LogFacts): void;
  info(event: string, facts?: LogFacts): void;
  warn(event: string, facts?: LogFacts): void;
  error(event: string, facts?: LogFacts): void;
  /** A logger that adds `facts` to every line. */
  child(facts: LogFacts): Logger;
}

/** A logger that writes nothing, for tests and for the CLI's quiet mode. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
