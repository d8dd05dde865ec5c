import { spawn } from "node:child_process";
import { once } from "node:events";
import { backoffMs, type Clock, type Logger } from "../../foundation/index.ts";

/** How to run the agent beside the server. */
export interface AgentProcessOptions {
  /** Executable and all its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  /** Ends the agent for good. */
  readonly signal: AbortSignal;
}

const BACKOFF = { baseMs: 250, maxMs: 10_000 };
/** An agent that lived this long was well; the next failure starts over. */
const SETTLED_MS = 30_000;
/** How long an agent may take to end before it is killed, milliseconds. */
const GRACE_MS = 5000;

/**
 * Runs `parasaus agent` as a child and starts it again, with back-off, whenever it ends. The kernel forwards meanwhile.
 * Resolves when the signal has aborted and the child is gone.
 */
export async function superviseAgent(options: AgentProcessOptions): Promise<void> {
  const { clock, log, signal, random } = options;
  let attempt = 0;
  while (!signal.aborted) {
    const startedMs = clock.monotonicMs();
    const ending = await runOnce(options);
    if (signal.aborted) return;
    attempt = clock.monotonicMs() - startedMs > SETTLED_MS ? 0 : attempt + 1;
    const waitMs = backoffMs(attempt, { ...BACKOFF, random });
    log.error("agent ended, starting it again", { ...ending, waitMs });
    await clock.sleep(waitMs, signal).catch(() => undefined);
  }
}

interface Ending {
  readonly exitCode?: number;
  readonly signalName?: string;
  readonly error?: unknown;
}

async function runOnce({ command, environment, log, signal }: AgentProcessOptions): Promise<Ending> {
  const [executable, ...words] = command;
  // Its own process group: Ctrl-C reaches us alone, and we end it in order.
  const child = spawn(executable, words, {
    env: { ...environment },
    // The channel is never written to: it closes when this process dies, and the agent ends then too.
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    detached: true,
  });
  log.debug("agent started", { pid: child.pid });
  let killer: NodeJS.Timeout | undefined;
  const stop = () => {
    child.kill("SIGTERM");
    killer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  };
  signal.addEventListener("abort", stop);
  try {
    const [exitCode, signalName] = (await once(child, "exit")) as [number | null, string | null];
    return { ...(exitCode === null ? {} : { exitCode }), ...(signalName === null ? {} : { signalName }) };
  } catch (error) {
    return { error };
  } finally {
    clearTimeout(killer);
    signal.removeEventListener("abort", stop);
  }
}
