import { createConnection } from "mysql2";
import type { Probe, ProbeTarget, ReasonCode } from "../probe.ts";
import { connectFailure, openConnection } from "./connection.ts";
import {
  formatEmptyPassword,
  formatLogin,
  framePacket,
  type MysqlMessage,
  type MysqlPacket,
  QUIT_COMMAND,
  readMessage,
  takePacket,
} from "./mysql-packets.ts";

type Report = (code: ReasonCode, snippet: string) => void;

/** Nobody has this account; the server's refusal is the proof of life. */
const NOBODY = "parasaus-health-check";

/**
 * Refusals that only a living server gives: access denied (1045, 1698), host not permitted (1130), authentication
 * method not supported (1251), TLS demanded (3159).
 */
const REFUSALS_OF_THE_LIVING: ReadonlySet<number> = new Set([1045, 1130, 1251, 1698, 3159]);
const HOST_IS_BLOCKED = 1129;

/**
 * Healthy when the server completes a login, or refuses one. The greeting is always answered: a handshake that is
 * dropped counts as a connection error of this host, and `max_connect_errors` of them block the host for every client.
 */
export const probeMysql: Probe = (target, report) => {
  const account = target.check.mysql;
  return account ? logIn(target, account, report) : provokeRefusal(target, report);
};

function logIn(
  target: ProbeTarget,
  account: { readonly user: string; readonly password?: string },
  report: Report,
): ReturnType<Probe> {
  const socket = openConnection(target);
  let connected = false;
  socket.once("connect", () => {
    connected = true;
  });
  const connection = createConnection({
    stream: socket,
    user: account.user,
    ...(account.password === undefined ? {} : { password: account.password }),
    connectTimeout: 0,
  });
  // After the farewell nobody watches: a server that never closes its side must not keep the socket.
  socket.setTimeout(target.check.timeoutMs, () => socket.destroy());
  let left = false;
  connection.on("error", (failure: NodeJS.ErrnoException & { errno?: number }) => {
    left = true;
    if (!connected) report(...connectFailure(failure));
    else report(...judgeLoginFailure(failure));
  });
  connection.once("connect", () => {
    left = true;
    report("L7OK", "logged in");
    connection.end();
  });
  return {
    timeoutCode: () => (connected ? "L7TOUT" : "L4TOUT"),
    abandon: () => {
      if (!left) connection.destroy();
    },
  };
}

function judgeLoginFailure(failure: {
  readonly errno?: number | undefined;
  readonly message: string;
}): [ReasonCode, string] {
  const { errno } = failure;
  if (errno === undefined || errno < 1_000) return ["L7RSP", failure.message];
  return judgeError({ kind: "error", errorNumber: errno, message: failure.message });
}

function provokeRefusal(target: ProbeTarget, report: Report): ReturnType<Probe> {
  const socket = openConnection(target);
  let connected = false;
  let received: Buffer = Buffer.alloc(0);
  socket.once("connect", () => {
    connected = true;
  });
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    received = readPackets(
      received,
      (packet) => answer(packet, (reply) => socket.write(reply), report),
      report,
    );
  });
  socket.once("end", () => report("L7RSP", "connection closed during the handshake"));
  socket.on("error", (failure) => {
    if (connected) report("L7RSP", failure.message);
    else report(...connectFailure(failure));
  });
  return {
    timeoutCode: () => (connected ? "L7TOUT" : "L4TOUT"),
    // The server has had the last word when this is called, unless it stalled: then nothing better than a close is left.
    abandon: () => socket.destroy(),
  };
}

function readPackets(received: Buffer, onPacket: (packet: MysqlPacket) => void, report: Report): Buffer {
  let rest = received;
  for (;;) {
    const taken = takePacket(rest);
    if (taken === undefined) return rest;
    if (taken === "garbage") {
      report("L7RSP", `no MySQL greeting: ${rest.toString("latin1", 0, 60)}`);
      return Buffer.alloc(0);
    }
    onPacket(taken.packet);
    rest = taken.rest;
  }
}

function answer(packet: MysqlPacket, write: (reply: Buffer) => void, report: Report): void {
  const message = readMessage(packet.payload);
  const next = packet.sequence + 1;
  if (message.kind === "greeting") write(framePacket(next, formatLogin(NOBODY)));
  else if (message.kind === "auth-switch") write(framePacket(next, formatEmptyPassword(message.plugin)));
  else if (message.kind === "error") report(...judgeError(message));
  else if (message.kind === "ok") {
    write(framePacket(0, QUIT_COMMAND));
    report("L7OK", "the server lets anybody in");
  } else report("L7RSP", "unexpected packet during the handshake");
}

function judgeError(error: Extract<MysqlMessage, { kind: "error" }>): [ReasonCode, string] {
  const words = `${error.errorNumber} ${error.message}`;
  if (REFUSALS_OF_THE_LIVING.has(error.errorNumber)) return ["L7OK", words];
  if (error.errorNumber === HOST_IS_BLOCKED)
    return ["L7STS", `host blocked, run mysqladmin flush-hosts: ${words}`];
  return ["L7STS", words];
}
