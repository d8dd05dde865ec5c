/**
 * Members that only count how often they are probed, a port each. Answers lines of JSON; see `remote.ts`.
 *
 *     tsx probe-target.ts FIRST_PORT COUNT
 */
import { createServer, type Server } from "node:net";
import { answerCalls } from "../answer-calls.ts";

const [first = 0, count = 0] = process.argv.slice(2).map(Number);
/** What each port saw, ms of a clock that never jumps. */
const ports = new Map<number, { count: number; lastMs: number; longestGapMs: number }>();
const listeners = new Map<number, Server>();

function begin(port: number): void {
  ports.set(port, { count: 0, lastMs: performance.now(), longestGapMs: 0 });
}

function note(port: number): void {
  const seen = ports.get(port);
  if (!seen) return;
  const nowMs = performance.now();
  seen.longestGapMs = Math.max(seen.longestGapMs, nowMs - seen.lastMs);
  seen.lastMs = nowMs;
  seen.count += 1;
}

function accept(port: number): Promise<void> {
  const server = createServer((socket) => {
    note(port);
    socket.on("error", () => undefined);
    socket.resume();
  });
  listeners.set(port, server);
  return new Promise((resolve) => void server.listen(port, "0.0.0.0", resolve));
}

const all = Array.from({ length: count }, (_, index) => first + index);
await Promise.all(all.map(accept));
all.forEach(begin);

answerCalls({
  accept,
  /** Nobody listens there any more. */
  refuse: (port: number) => new Promise((resolve) => void listeners.get(port)?.close(resolve)),
  reset: () => all.forEach(begin),
  /** Since the last reset. */
  report() {
    const nowMs = performance.now();
    const seen = [...ports.values()];
    const gaps = seen.map(({ longestGapMs, lastMs }) => Math.max(longestGapMs, nowMs - lastMs));
    return {
      count: seen.reduce((sum, each) => sum + each.count, 0),
      leastCount: Math.min(...seen.map((each) => each.count)),
      longestGapMs: Math.round(Math.max(...gaps)),
    };
  },
});
