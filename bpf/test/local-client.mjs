// A program on the node: does what it is told, line by line, and tells what came of it.
import { createSocket } from "node:dgram";
import { createConnection } from "node:net";
import { createInterface } from "node:readline";

let socket;
const DEEDS = {
  tcp: ({ ip, port }) =>
    new Promise((resolve) => {
      socket = createConnection({ host: ip, port });
      socket.once("error", ({ code }) => resolve({ error: code }));
      socket.once("data", (bytes) =>
        resolve({ answer: String(bytes), peer: `${socket.remoteAddress}:${socket.remotePort}` }),
      );
      socket.write("?");
    }),
  closeTcp: () =>
    new Promise((resolve) => {
      socket.once("close", () => resolve({}));
      socket.destroy();
    }),
  udp: ({ ip, port }) => {
    socket ??= createSocket("udp4");
    return answered(() => socket.send("?", port, ip));
  },
  connectUdp: ({ ip, port }) =>
    new Promise((resolve) => {
      socket ??= createSocket("udp4");
      socket.connect(port, ip, () => {
        const { address, port: peerPort } = socket.remoteAddress();
        resolve({ peer: `${address}:${peerPort}` });
      });
    }),
  sendUdp: () => answered(() => socket.send("?")),
  closeUdp: () =>
    new Promise((resolve) => {
      socket.close(() => {
        socket = undefined;
        resolve({});
      });
    }),
};

function answered(send) {
  return new Promise((resolve) => {
    socket.once("message", (bytes, { address, port }) =>
      resolve({ answer: String(bytes), from: `${address}:${port}` }),
    );
    send();
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const { deed, ...parameters } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await DEEDS[deed](parameters))}\n`);
}
