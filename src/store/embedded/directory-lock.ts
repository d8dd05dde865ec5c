import {
  linkSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { type Clock, ParasausError } from "../../foundation/index.ts";

const HEARTBEAT_MS = 2_000;

/** Who holds the directory. A process is known by more than its number, which the kernel uses again. */
interface Holder {
  readonly pid: number;
  /** Ticks since boot at which the process started. */
  readonly startTicks: string;
  readonly bootId: string;
  /** PID namespace: a number from another container means nothing here. */
  readonly pidNamespace: string;
  readonly command: string;
}

/**
 * Makes this process the only one that uses `directory`. A holder that died, however it did, does not count.
 *
 * @throws ParasausError `Unavailable` naming the process that holds it
 */
export async function lockDirectory(directory: string, clock: Clock): Promise<Disposable> {
  const file = path.join(directory, "lock");
  const mine = JSON.stringify(describeProcess(process.pid));
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (claim(file, mine)) return keep(file, mine, clock);
    const found = read(file);
    if (found === undefined) continue;
    if (await isAlive(file, found, clock)) throw held(directory, found);
    removeStale(file, found);
  }
  throw held(directory, read(file) ?? "{}");
}

/** Atomic: the file appears with its whole content or not at all. */
function claim(file: string, content: string): boolean {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, content, { mode: 0o600 });
  try {
    linkSync(draft, file);
    return true;
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw failure;
  } finally {
    rmSync(draft, { force: true });
  }
}

function keep(file: string, mine: string, clock: Clock): Disposable {
  const stop = new AbortController();
  void beat(file, clock, stop.signal);
  return {
    [Symbol.dispose]: () => {
      stop.abort();
      if (read(file) === mine) rmSync(file, { force: true });
    },
  };
}

/** Shows processes in other PID namespaces, which cannot see us, that we are alive. */
async function beat(file: string, clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      await clock.sleep(HEARTBEAT_MS, signal);
      utimesSync(file, clock.now(), clock.now());
    }
  } catch {
    // Released, or somebody deleted the file by hand: nothing left to show.
  }
}

async function isBeating(file: string, clock: Clock): Promise<boolean> {
  const modifiedMs = () => statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  const before = modifiedMs();
  await clock.sleep(HEARTBEAT_MS * 3);
  return modifiedMs() !== before;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** Moves the file aside first: had somebody claimed it meanwhile, theirs would be in our hands, and we give it back. */
function removeStale(file: string, stale: string): void {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (read(aside) !== stale) linkSync(aside, file);
  rmSync(aside, { force: true });
}

function describeProcess(pid: number): Holder {
  return {
    pid,
    startTicks: startTicksOf(pid) ?? "",
    bootId: read("/proc/sys/kernel/random/boot_id")?.trim() ?? "",
    pidNamespace: pidNamespace(),
    command: (read(`/proc/${pid}/cmdline`) ?? "").replaceAll("\0", " ").trim().slice(0, 200),
  };
}

/** Field 22 of /proc/PID/stat; the command before it is in parentheses and may hold blanks. */
function startTicksOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

function pidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

async function isAlive(file: string, content: string, clock: Clock): Promise<boolean> {
  const holder = parse(content);
  const self = describeProcess(process.pid);
  if (!holder || holder.bootId !== self.bootId) return false;
  if (holder.pidNamespace === self.pidNamespace) return startTicksOf(holder.pid) === holder.startTicks;
  return isBeating(file, clock);
}

function parse(content: string): Holder | undefined {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

function held(directory: string, content: string): ParasausError {
  const holder = parse(content);
  const who = holder ? `process ${holder.pid} (${holder.command})` : "another process";
  return new ParasausError("Unavailable", `Cannot open the store in "${directory}": ${who} has it open`);
}
