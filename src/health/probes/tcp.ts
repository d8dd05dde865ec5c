import type { Probe } from "../probe.ts";
import { connectFailure, openConnection } from "./connection.ts";

/** Healthy when the member completes a TCP handshake. */
export const probeTcp: Probe = (target, report) => {
  const socket = openConnection(target);
  socket.once("connect", () => report("L4OK", "connected"));
  socket.on("error", (failure) => report(...connectFailure(failure)));
  return { timeoutCode: () => "L4TOUT", abandon: () => socket.resetAndDestroy() };
};
