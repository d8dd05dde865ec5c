import { ParasausError, type Terminal } from "../../foundation/index.ts";

/** Exit codes of every verb. */
export const EXIT = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const;

/** Says on stderr what went wrong, with the wrong fields one a line. @returns the exit code. */
export function reportFailure(failure: unknown, { stderr, environment }: Terminal): number {
  if (!(failure instanceof ParasausError)) {
    const error = failure instanceof Error ? failure : new Error(String(failure));
    const isDebugging = environment["PARASAUS_LOG_LEVEL"] === "debug";
    stderr.write(`Error: unexpected failure: ${isDebugging ? error.stack : error.message}\n`);
    return EXIT.failure;
  }
  stderr.write(`Error: ${failure.message}\n`);
  for (const { field, message } of failure.fields) stderr.write(`  ${field}: ${message}\n`);
  if (/ECONNREFUSED/.test(failure.message)) {
    stderr.write("Is `parasaus up` running? Another server is named with --server URL or PARASAUS_SERVER\n");
  }
  return failure.code === "Usage" ? EXIT.usage : EXIT.failure;
}
