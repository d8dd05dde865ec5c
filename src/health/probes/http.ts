import type net from "node:net";
import tls from "node:tls";
import { formatHostPort } from "../../foundation/index.ts";
import type { HealthCheck } from "../../model/index.ts";
import type { Probe, ProbeTarget, ReasonCode } from "../probe.ts";
import { connectFailure, openConnection } from "./connection.ts";

type Report = (code: ReasonCode, snippet: string) => void;
type HttpCheck = NonNullable<HealthCheck["http"]>;

const DEFAULT_CHECK: HttpCheck = { method: "GET", path: "/", expect: ["200-399"] };
/** More than any head of an answer; what a member sends beyond it is not read. */
const MOST_BYTES = 16_384;
/** Complete informational answers (100 Continue, 103 Early Hints) before the final one. */
const INTERIM_ANSWERS = /^(?:HTTP\/1\.[01] 1(?!01)\d\d[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n)+/;

/** Healthy when the answer to one request has an expected status. Redirects are not followed. */
export const probeHttp: Probe = (target, report) => {
  const socket = openConnection(target);
  let connected = false;
  socket.once("connect", () => {
    connected = true;
    exchange(socket, target, report);
  });
  socket.on("error", (failure) => {
    if (connected) report("L7RSP", failure.message);
    else report(...connectFailure(failure));
  });
  return {
    timeoutCode: () => (connected ? "L7TOUT" : "L4TOUT"),
    abandon: () => socket.resetAndDestroy(),
  };
};

/** As {@link probeHttp}, inside TLS. The certificate is not verified: members are named by address. */
export const probeHttps: Probe = (target, report) => {
  const socket = openConnection(target);
  let layer: 4 | 6 | 7 = 4;
  const failed = (failure: Error): void => {
    if (layer === 4) report(...connectFailure(failure));
    else report(layer === 6 ? "L6RSP" : "L7RSP", failure.message);
  };
  socket.once("connect", () => {
    layer = 6;
  });
  socket.on("error", failed);
  const host = target.check.http?.host?.replace(/:\d+$/, "");
  const secure = tls.connect({
    socket,
    rejectUnauthorized: false,
    ...(host !== undefined && !/^[\d.]+$/.test(host) ? { servername: host } : {}),
  });
  secure.once("secureConnect", () => {
    layer = 7;
    exchange(secure, target, report);
  });
  secure.on("error", failed);
  secure.on("close", () => failed(new Error("connection closed during the TLS handshake")));
  return {
    timeoutCode: () => (layer === 4 ? "L4TOUT" : layer === 6 ? "L6TOUT" : "L7TOUT"),
    abandon: () => {
      socket.resetAndDestroy();
      secure.destroy();
    },
  };
};

function exchange(socket: net.Socket, target: ProbeTarget, report: Report): void {
  const check = target.check.http ?? DEFAULT_CHECK;
  let received = "";
  const judge = (ended: boolean): void => {
    const verdict = judgeAnswer(received, check.expect, ended);
    if (verdict) report(...verdict);
  };
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    received += chunk;
    judge(received.length >= MOST_BYTES);
  });
  socket.once("end", () => judge(true));
  socket.write(formatRequest(target, check));
}

/** A request that no path or host can split into two: anything outside visible ASCII is percent-encoded. */
function formatRequest(target: ProbeTarget, check: HttpCheck): string {
  const path = check.path.replace(/[^\x21-\x7e]/gu, encodeURIComponent);
  const host = (check.host ?? formatHostPort(target.ip, target.port)).replace(/[^\x21-\x7e]/gu, "");
  return [
    `${check.method} ${path.startsWith("/") ? path : `/${path}`} HTTP/1.1`,
    `Host: ${host}`,
    "User-Agent: parasaus-health-check",
    "Accept: */*",
    "Connection: close",
    "",
    "",
  ].join("\r\n");
}

/**
 * Judges what was received so far. Waits for the end of the head, so that the member is not cut off in the middle of it.
 *
 * @returns undefined while more is needed.
 */
export function judgeAnswer(
  received: string,
  expect: readonly string[],
  ended: boolean,
): [ReasonCode, string] | undefined {
  const answer = received.replace(INTERIM_ANSWERS, "");
  if (!"HTTP/1.".startsWith(answer.slice(0, 7))) return ["L7RSP", `no HTTP answer: ${answer.slice(0, 60)}`];
  if (!ended && !/\r?\n\r?\n/.test(answer)) return undefined;
  const status = /^HTTP\/1\.[01] (\d{3})(?: [^\r\n]*)?\r?\n/.exec(answer);
  if (status) return judgeStatus(Number(status[1]), status[0], expect);
  return ["L7RSP", received === "" ? "connection closed without an answer" : "broken status line"];
}

function judgeStatus(code: number, line: string, expect: readonly string[]): [ReasonCode, string] {
  const expected = expect.some((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return first !== undefined && last !== undefined && code >= first && code <= last;
  });
  return [expected ? "L7OK" : "L7STS", line];
}
