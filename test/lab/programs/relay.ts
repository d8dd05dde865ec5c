/**
 * Lets a test reach a TCP port inside a namespace by a UNIX socket: those do not know network namespaces.
 *
 *     tsx relay.ts SOCKET_PATH PORT
 */
import { connect, createServer } from "node:net";

const [path = "", port = "6780"] = process.argv.slice(2);

createServer({ allowHalfOpen: true }, (outer) => {
  const inner = connect({ host: "127.0.0.1", port: Number(port), allowHalfOpen: true });
  outer.on("error", () => inner.destroy());
  inner.on("error", () => outer.destroy());
  outer.pipe(inner);
  inner.pipe(outer);
}).listen(path, () => process.stdout.write("listening\n"));
