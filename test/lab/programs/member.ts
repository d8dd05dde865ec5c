/**
 * A member of the lab: answers HTTP with its name (`Connection: close` and HTTP/1.0 close, else keep-alive), and
 * anything else byte for byte with a line of its name. UDP likewise.
 *
 *     tsx member.ts NAME TCP_PORT [UDP_PORT [HOST]]
 *
 * TCP listens on every address of HOST's family; UDP answers from HOST.
 */
import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";

const [name = "member", tcpPort = "8080", udpPort, host = "0.0.0.0"] = process.argv.slice(2);

const server = createServer({ noDelay: true, highWaterMark: 1024 }, (socket) => {
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes) => answer(socket, bytes.toString("latin1")));
  socket.on("end", () => socket.end());
});

function answer(socket: Socket, text: string): void {
  if (!text.startsWith("GET ")) {
    socket.write(`${name}\n`.repeat(text.length));
    return;
  }
  const closes = text.includes("HTTP/1.0") || /connection: close/i.test(text);
  const reply = `HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n${closes ? "Connection: close\r\n" : ""}\r\n${name}`;
  if (text.includes("X-Close: client")) socket.write(reply);
  else if (closes) socket.end(reply);
  else socket.write(reply);
}

const everywhere = host.includes(":") ? "::" : "0.0.0.0";
server.listen({ port: Number(tcpPort), host: everywhere, backlog: 4096 }, () =>
  process.stdout.write("listening\n"),
);

if (udpPort) {
  const datagrams = createSocket("udp4");
  datagrams.on("message", (_message, from) => datagrams.send(`${name}\n`, from.port, from.address));
  datagrams.bind(Number(udpPort), host);
}
process.on("SIGTERM", () => process.exit(0));
