import { connect } from "node:net";
import type { Driver } from "../dataplane/index.ts";
import { type Clock, ParasausError } from "../foundation/index.ts";
import type { AgentStatus, ConnectProbe, NodeAnswer, NodeAnswers, NodeRequest } from "../model/index.ts";

/** Longest wait for a member in `probe`, milliseconds: the whole answer must be there within 1 s. */
const PROBE_TIMEOUT_MS = 800;

/** What answers are made from. */
export interface AnswerSources {
  /** Everything that goes to the driver, one after another with the agent's own work. */
  readonly ask: <T>(question: (driver: Driver) => Promise<T>) => Promise<T>;
  /** The driver before, while it still has flows. */
  readonly predecessor: () => Driver | undefined;
  readonly status: () => AgentStatus;
  readonly clock: Clock;
}

/** Answers one request of a server; a failure is an answer too. */
export async function answerRequest(request: NodeRequest, sources: AnswerSources): Promise<NodeAnswer> {
  try {
    return { kind: "answered", value: await valueFor(request, sources) };
  } catch (failure) {
    const message = failure instanceof Error ? failure.message : String(failure);
    return { kind: "failed", message };
  }
}

async function valueFor(
  request: NodeRequest,
  sources: AnswerSources,
): Promise<NodeAnswers[NodeRequest["kind"]]> {
  const { ask } = sources;
  switch (request.kind) {
    case "status":
      return sources.status();
    case "probe":
      return probeMember(request.ip, request.port, sources.clock);
    case "explain":
      return (
        (await ask((driver) => driver.explain(request.flow))) ??
        (await sources.predecessor()?.explain(request.flow)) ??
        null
      );
    case "flows":
      return listFlows(request.pool, request.limitCount, sources);
    case "counters":
      return ask((driver) => driver.readCounters(request.pools));
    default:
      throw new ParasausError(
        "BadRequest",
        `Cannot answer: this agent knows no request ${JSON.stringify(request)}`,
      );
  }
}

async function listFlows(poolUid: string, limitCount: number, { ask, predecessor }: AnswerSources) {
  const flows = await ask((driver) => driver.listFlows(poolUid, limitCount));
  const restCount = limitCount - flows.length;
  const before = restCount > 0 ? await predecessor()?.listFlows(poolUid, restCount) : undefined;
  return before ? [...flows, ...before] : flows;
}

function probeMember(ip: string, port: number, clock: Clock): Promise<ConnectProbe> {
  const startMs = clock.monotonicMs();
  return new Promise((resolve) => {
    const socket = connect({ host: ip, port, timeout: PROBE_TIMEOUT_MS });
    const finish = (isConnected: boolean, reason: string) => {
      socket.destroy();
      resolve({ isConnected, reason, latencyMs: clock.monotonicMs() - startMs });
    };
    socket.once("connect", () => finish(true, "connected"));
    socket.once("timeout", () => finish(false, "timeout"));
    socket.once("error", (failure: NodeJS.ErrnoException) => finish(false, failure.code ?? failure.message));
  });
}
