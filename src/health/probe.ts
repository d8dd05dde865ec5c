import type { Clock } from "../foundation/index.ts";
import { type HealthCheck, type HealthCheckTiming, healthCheckTiming } from "../model/index.ts";
import { type GuardedAddressClass, refusalToProbe } from "./address-guard.ts";

/**
 * What a probe found, in HAProxy's words where it has one: layer, then what happened. `SOCKERR` is a failure of this
 * machine (no file descriptor, no local port) and `REFUSED` an address that must not be probed: neither says anything
 * about the member.
 */
export type ReasonCode =
  | "L4OK"
  | "L4CON"
  | "L4TOUT"
  | "L6RSP"
  | "L6TOUT"
  | "L7OK"
  | "L7STS"
  | "L7RSP"
  | "L7TOUT"
  | "SOCKERR"
  | "REFUSED";

/** One answered (or unanswered) probe. A dead member is an answer, not an exception. */
export interface ProbeResult {
  /** `none` when the result says nothing about the member and must not be counted. */
  readonly outcome: "pass" | "fail" | "none";
  readonly code: ReasonCode;
  /** From the start of the probe to the verdict, ms. */
  readonly durationMs: number;
  /** What was seen: a status line, an error; printable, at most 120 characters. */
  readonly snippet: string;
}

/** How to probe, with every time worked out; what only judges results is left out. */
export type ProbeCheck = Pick<HealthCheck, "type" | "http" | "mysql"> & HealthCheckTiming;

/** The part of a pool's health check that the probes themselves need. */
export function probeCheckOf(check: HealthCheck): ProbeCheck {
  return {
    type: check.type,
    ...healthCheckTiming(check),
    ...(check.http === undefined ? {} : { http: check.http }),
    ...(check.mysql === undefined ? {} : { mysql: check.mysql }),
  };
}

/** Where and how to probe. */
export interface ProbeTarget {
  /** IPv4 or IPv6 address. */
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  readonly check: ProbeCheck;
}

/** A probe that was started and did not report yet. */
export interface RunningProbe {
  /** What it means if no answer came until now. */
  readonly timeoutCode: () => ReasonCode;
  /** Frees everything at once; called exactly once, also after the report. */
  readonly abandon: () => void;
}

/** One kind of check. Starts at once, reports at most once; later reports are ignored. It needs no deadline of its own. */
export type Probe = (
  target: ProbeTarget,
  report: (code: ReasonCode, snippet: string) => void,
) => RunningProbe;

/** The kinds of checks that there are, by the name that `healthCheck.type` uses. */
export type ProbeRegistry = Readonly<Record<string, Probe>>;

/** What a probe run needs besides its target. */
export interface ProbeEnvironment {
  readonly registry: ProbeRegistry;
  readonly clock: Clock;
  /** Classes of addresses that may be probed besides ordinary unicast. */
  readonly allowedClasses: ReadonlySet<GuardedAddressClass>;
}

const OUTCOMES: Readonly<Record<ReasonCode, ProbeResult["outcome"]>> = {
  L4OK: "pass",
  L7OK: "pass",
  L4CON: "fail",
  L4TOUT: "fail",
  L6RSP: "fail",
  L6TOUT: "fail",
  L7STS: "fail",
  L7RSP: "fail",
  L7TOUT: "fail",
  SOCKERR: "none",
  REFUSED: "none",
};

const LONGEST_SNIPPET = 120;
/** A deadline that is noticed this much too late says that this process stood still, ms. */
const STALL_MS = 50;

/**
 * Probes once. Always settles within the check's timeout, whatever the other side does; never rejects. When this process
 * stood still meanwhile, what has come is read before the member is blamed, and it gets that time back once, a timeout at most.
 */
export function runProbe(target: ProbeTarget, environment: ProbeEnvironment): Promise<ProbeResult> {
  const startMs = environment.clock.monotonicMs();
  const answer = (code: ReasonCode, snippet: string): ProbeResult => ({
    outcome: OUTCOMES[code],
    code,
    durationMs: Math.round((environment.clock.monotonicMs() - startMs) * 10) / 10,
    snippet: printable(snippet),
  });
  const refusal = refusalToProbe(target.ip, environment.allowedClasses);
  if (refusal !== undefined) return Promise.resolve(answer("REFUSED", refusal));
  const probe = environment.registry[target.check.type];
  if (!probe) return Promise.resolve(answer("REFUSED", `there is no check of type "${target.check.type}"`));
  return new Promise((resolve) =>
    settleOnce(probe, target, environment.clock, (code, snippet) => resolve(answer(code, snippet))),
  );
}

function settleOnce(
  probe: Probe,
  target: ProbeTarget,
  clock: Clock,
  resolve: (code: ReasonCode, snippet: string) => void,
): void {
  const { timeoutMs } = target.check;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  let running: RunningProbe | undefined;
  let settled = false;
  const finish = (code: ReasonCode, snippet: string): void => {
    if (settled) return;
    settled = true;
    clearTimeout(deadline);
    running?.abandon();
    resolve(code, snippet);
  };
  const giveUp = () => finish(running?.timeoutCode() ?? "L4TOUT", `no answer within ${timeoutMs} ms`);
  let deadline = setTimeout(() => {
    const stalledMs = clock.monotonicMs() - deadlineMs;
    if (stalledMs < STALL_MS) giveUp();
    else deadline = setTimeout(giveUp, Math.min(stalledMs, timeoutMs));
  }, timeoutMs);
  try {
    running = probe(target, finish);
  } catch (failure) {
    finish("SOCKERR", failure instanceof Error ? failure.message : String(failure));
  }
  if (settled) running?.abandon();
}

function printable(text: string): string {
  const line = text.replace(/[^\x20-\x7e]+/g, " ").trim();
  return line.length > LONGEST_SNIPPET ? `${line.slice(0, LONGEST_SNIPPET - 1)}~` : line;
}
