/**
 * Dials and talks one flow at a time, as lines of JSON on standard input ask:
 * `{"id":1,"method":"connect","parameters":["10.77.0.1",30001,"10.77.16.1"]}`, then `exchange` and `close` with the
 * flow's number. Answers are `{"id":1,"result":...}`.
 */
import { once } from "node:events";
import { connect as dial, type Socket } from "node:net";
import { createInterface } from "node:readline";

const ANSWER_MS = 3000;
const sockets = new Map<number, Socket>();
let flowCount = 0;

const methods = {
  async connect(host: string, port: number, localAddress?: string) {
    const socket = dial({ host, port, noDelay: true, ...(localAddress ? { localAddress } : {}) });
    socket.on("error", () => socket.destroy());
    if (!(await opens(socket))) return undefined;
    // Not its port: those of two addresses may be equal.
    flowCount += 1;
    const flow = flowCount;
    sockets.set(flow, socket);
    const { localAddress: clientIp, localPort: clientPort, remoteAddress: remoteIp } = socket;
    return { flow, clientIp, clientPort, remoteIp };
  },
  /** @returns what the member says, `reset`, or `silent` after three seconds */
  async exchange(flow: number) {
    const socket = sockets.get(flow);
    if (!socket || socket.destroyed) return "reset";
    const answer = Promise.race([
      once(socket, "data").then(([bytes]) => String(bytes).trim()),
      once(socket, "close").then(() => "reset"),
      new Promise<string>((resolve) => setTimeout(resolve, ANSWER_MS, "silent")),
    ]).catch(() => "reset");
    socket.write("x");
    return answer;
  },
  async close(flow: number) {
    const socket = sockets.get(flow);
    sockets.delete(flow);
    if (!socket || socket.destroyed) return;
    const closed = once(socket, "close").catch(() => undefined);
    socket.end();
    socket.resume();
    await closed;
  },
};

function opens(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("close", () => resolve(false));
    setTimeout(() => resolve(!socket.connecting && !socket.destroyed), ANSWER_MS).unref();
  });
}

process.stdout.write("open\n");
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, parameters } = JSON.parse(line) as {
    id: number;
    method: keyof typeof methods;
    parameters: never[];
  };
  const run = methods[method] as (...values: never[]) => Promise<unknown>;
  void run(...parameters).then((result) => process.stdout.write(`${JSON.stringify({ id, result })}\n`));
});
