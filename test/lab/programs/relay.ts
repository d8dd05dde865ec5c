/**
 * Lets a test, or a program in another namespace, reach a TCP port inside a namespace by a UNIX socket: those do not know
 * network namespaces.
 *
 *     tsx relay.ts FROM TO
 *
 * Each is the path of a UNIX socket or a port of 127.0.0.1.
 */
import { connect, createServer } from "node:net";

const [from = "", to = ""] = process.argv.slice(2);

const placeOf = (text: string) =>
  text.startsWith("/") ? { path: text } : { host: "127.0.0.1", port: Number(text) };

createServer({ allowHalfOpen: true }, (outer) => {
  const inner = connect({ ...placeOf(to), allowHalfOpen: true });
  outer.on("error", () => inner.destroy());
  inner.on("error", () => outer.destroy());
  outer.pipe(inner);
  inner.pipe(outer);
}).listen(placeOf(from), () => process.stdout.write("listening\n"));
