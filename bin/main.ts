import { homedir, hostname } from "node:os";
import { text } from "node:stream/consumers";
import { runCli } from "../src/cli/index.ts";
import type { Output } from "../src/foundation/index.ts";
import { createSecretReader } from "./read-secret.ts";

const INTERRUPTED = 130;
const ending = new AbortController();
let endedMs = Number.POSITIVE_INFINITY;
// The first signal asks for a graceful end, a second does not wait for it. One Ctrl-C may arrive twice through npm.
const end = () => {
  if (performance.now() - endedMs > 500) process.exit(INTERRUPTED);
  endedMs = Math.min(endedMs, performance.now());
  ending.abort();
};
process.on("SIGINT", end).on("SIGTERM", end);
// An agent ends with the server that started it.
process.once("disconnect", end).channel?.unref();

const output = (stream: NodeJS.WriteStream): Output => {
  stream.on("error", () => ending.abort(new Error("nobody reads the output any more")));
  const { isTTY: isTerminal = false, columns } = stream;
  return { write: (chunk) => void stream.write(chunk), isTerminal, ...(columns ? { columns } : {}) };
};

process.exitCode = await runCli(
  {
    arguments: process.argv.slice(2),
    environment: process.env,
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    readStdin: () => text(process.stdin),
    readSecret: createSecretReader(process.stdin, process.stderr),
    signal: ending.signal,
    self: [process.execPath, ...process.execArgv, ...process.argv.slice(1, 2)],
    isRoot: process.getuid?.() === 0,
    homeDirectory: homeDirectory(),
    hostname: hostname(),
  },
  () => import("../src/server/index.ts"),
);

/** The root for a user without one, as in a container that runs under a number. */
function homeDirectory(): string {
  try {
    return homedir();
  } catch {
    return "/";
  }
}
