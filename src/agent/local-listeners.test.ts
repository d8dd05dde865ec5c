import { createServer } from "node:net";
import { expect, it } from "vitest";
import { parseSocketTable, readLocalListeners } from "./local-listeners.ts";

it("finds a socket that really listens", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const listeners = await readLocalListeners();
  server.close();
  expect(listeners).toContainEqual({ protocol: "TCP", ip: "127.0.0.1", port });
});

it("leaves out connections, and sockets that no IPv4 client reaches", () => {
  const text = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
    "   0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0",
    "   1: 0100007F:0016 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0",
    "   2: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0",
    "   3: 00000000000000000000000000000000:1F91 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0",
    "",
  ].join("\n");
  expect(parseSocketTable(text, "TCP").map(({ port }) => port)).toEqual([22, 8081]);
});
