/**
 * The lab's client. Reads one JSON plan from the command line, writes one JSON report to standard output at the end.
 * `stop` on standard input ends it early; `mark` prints the report so far.
 *
 *     tsx traffic-client.ts '{"mode":"requests","host":"10.77.0.1","port":30001,"total":1000,"concurrency":20,"sources":["10.77.16.1"]}'
 *     tsx traffic-client.ts '{"mode":"hold","host":"10.77.0.1","port":30001,"connections":1000,"sources":["10.77.16.1"]}'
 */
import { connect } from "node:net";
import { createInterface } from "node:readline";
import type { HoldPlan, HoldReport, RequestsPlan, RequestsReport, TrafficPlan } from "../traffic.ts";

const plan = JSON.parse(process.argv[2] ?? "{}") as TrafficPlan;
const stopping = new AbortController();
let report: () => RequestsReport | HoldReport = () => {
  throw new Error("nothing to report yet");
};
createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "stop") stopping.abort();
  if (line === "mark") process.stdout.write(`${JSON.stringify(report())}\n`);
});
await (plan.mode === "requests" ? runRequests(plan) : runHold(plan));
process.stdout.write(`${JSON.stringify(report())}\n`, () => process.exit(0));

async function runRequests(requests: RequestsPlan): Promise<void> {
  const startMs = performance.now();
  const state = {
    started: 0,
    succeeded: 0,
    failures: {} as Record<string, number>,
    members: {} as Record<string, number>,
    longestMs: 0,
    lastSeenMs: {} as Record<string, number>,
  };
  report = () => ({ ...state, durationMs: performance.now() - startMs, wallMs: Date.now() });
  const total = requests.total ?? Number.POSITIVE_INFINITY;
  const worker = async () => {
    while (state.started < total && !stopping.signal.aborted) {
      const number = state.started++;
      const beganMs = performance.now();
      const outcome = await oneRequest(requests, requests.sources[number % requests.sources.length] ?? "");
      state.longestMs = Math.max(state.longestMs, performance.now() - beganMs);
      count(state, outcome);
      if (requests.paceMs) await new Promise((resolve) => setTimeout(resolve, requests.paceMs));
    }
  };
  await Promise.all(Array.from({ length: requests.concurrency }, worker));
}

function count(state: Omit<RequestsReport, "durationMs" | "wallMs">, outcome: string): void {
  if (outcome.startsWith("member:")) {
    const member = outcome.slice("member:".length);
    state.succeeded += 1;
    state.members[member] = (state.members[member] ?? 0) + 1;
    state.lastSeenMs[member] = Date.now();
  } else {
    state.failures[outcome] = (state.failures[outcome] ?? 0) + 1;
  }
}

/** One connection, one request; every other one is closed by the client first. */
function oneRequest(requests: RequestsPlan, source: string): Promise<string> {
  const clientCloses = closesFirst(requests.closer);
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ host: requests.host, port: requests.port, localAddress: source, noDelay: true });
    const finish = (outcome: string) => {
      clearTimeout(timer);
      if (requests.closer === "reset") socket.resetAndDestroy();
      else socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => finish("timeout"), requests.timeoutMs ?? 5_000);
    socket.on("error", (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    socket.on("connect", () => {
      socket.write(
        `GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n${clientCloses ? "X-Close: client\r\n" : ""}\r\n`,
      );
    });
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      if (clientCloses && isComplete(text)) finish(`member:${bodyOf(text)}`);
    });
    socket.on("end", () => finish(isComplete(text) ? `member:${bodyOf(text)}` : "short-read"));
  });
}

function closesFirst(closer: RequestsPlan["closer"]): boolean {
  if (closer === "client" || closer === "reset") return true;
  return closer !== "member" && Math.random() < 0.5;
}

function isComplete(text: string): boolean {
  const length = Number(/Content-Length: (\d+)/i.exec(text)?.[1] ?? Number.NaN);
  return bodyOf(text).length === length;
}

function bodyOf(text: string): string {
  const at = text.indexOf("\r\n\r\n");
  return at < 0 ? "" : text.slice(at + 4);
}

async function runHold(hold: HoldPlan): Promise<void> {
  const state = {
    opened: 0,
    alive: 0,
    exchanged: 0,
    moved: 0,
    resets: 0,
    ends: 0,
    timeouts: 0,
    refused: 0,
    members: {} as Record<string, number>,
    resetWallMs: [] as number[],
  };
  const answered = new Set<number>();
  report = () => {
    const told = { ...state, answered: answered.size, wallMs: Date.now() };
    answered.clear();
    return told;
  };
  const connections: Promise<void>[] = [];
  for (let number = 0; number < hold.connections && !stopping.signal.aborted; number += 1) {
    const opened = withResolvers();
    const source = hold.sources[number % hold.sources.length] ?? "";
    connections.push(holdOne(hold, state, source, opened.resolve, () => answered.add(number)));
    if (number % 50 === 49) await opened.promise;
  }
  await Promise.all(connections);
}

interface Gate {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function withResolvers(): Gate {
  const gate = { resolve: () => undefined };
  const promise = new Promise<undefined>((done) => {
    gate.resolve = () => {
      done(undefined);
      return undefined;
    };
  });
  return { promise: promise.then(() => undefined), resolve: () => gate.resolve() };
}

/** One long connection: a byte every `intervalMs`, each answered with the member's name, always the same one. */
function holdOne(
  hold: HoldPlan,
  state: Omit<HoldReport, "wallMs" | "answered">,
  source: string,
  onOpened: () => void,
  onAnswer: () => void,
): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: hold.host, port: hold.port, localAddress: source, noDelay: true });
    let member: string | undefined;
    let waitingSinceMs = 0;
    let opened = false;
    const finish = (kind?: "resets" | "ends" | "timeouts" | "refused") => {
      clearInterval(timer);
      if (opened) state.alive -= 1;
      opened = false;
      if (kind) state[kind] += 1;
      if (kind === "resets") state.resetWallMs.push(Date.now());
      socket.removeAllListeners();
      socket.on("error", () => undefined);
      socket.destroy();
      onOpened();
      resolve();
    };
    const timer = setInterval(() => {
      if (stopping.signal.aborted) finish();
      else if (waitingSinceMs > 0 && performance.now() - waitingSinceMs > (hold.timeoutMs ?? 5_000))
        finish("timeouts");
      else if (opened && waitingSinceMs === 0) {
        waitingSinceMs = performance.now();
        socket.write("x");
      }
    }, hold.intervalMs ?? 100);
    waitingSinceMs = performance.now();
    socket.on("connect", () => {
      opened = true;
      state.opened += 1;
      state.alive += 1;
      socket.write("x");
      onOpened();
    });
    socket.on("data", (bytes) => {
      const name = bytes.toString("latin1").trim();
      waitingSinceMs = 0;
      state.exchanged += 1;
      onAnswer();
      if (member === undefined) state.members[name] = (state.members[name] ?? 0) + 1;
      else if (member !== name) state.moved += 1;
      member ??= name;
    });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      finish(opened || error.code === "ECONNRESET" ? "resets" : "refused"),
    );
    socket.on("end", () => finish("ends"));
  });
}
