import path from "node:path";
import type { LoadedConfiguration } from "../configuration/index.ts";
import { type Clock, type Logger, systemClock, type Terminal } from "../foundation/index.ts";
import { createLogger } from "./logging.ts";

/** What every long-running program begins with. */
export interface Program {
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  /** No colours. */
  readonly isPlain: boolean;
  /** How it logs, settled. */
  readonly logFormat: "json" | "pretty";
  /** Where the build puts the console's files: beside the program's own. */
  readonly consoleDirectory: string;
}

/** Sets up logging and time as the configuration and the terminal want them. */
export function beginProgram(
  { values }: LoadedConfiguration,
  { stderr, environment, self }: Terminal,
): Program {
  const isPlain = (environment["NO_COLOR"] ?? "") !== "";
  const auto = stderr.isTerminal ? "pretty" : "json";
  const logFormat = values.logFormat === "auto" ? auto : values.logFormat;
  const log = createLogger({ level: values.logLevel, format: logFormat, output: stderr, isPlain });
  const consoleDirectory = path.join(path.dirname(self.at(-1) ?? ""), "console");
  return { log, clock: systemClock, random: Math.random, isPlain, logFormat, consoleDirectory };
}

/** Resolves when the signal aborts. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
