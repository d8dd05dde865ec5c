import type { NodeRequests } from "../../api/index.ts";
import type { Clock } from "../../foundation/index.ts";
import type { AgentStatus } from "../../model/index.ts";

/** How every agent is doing now. */
export interface AgentReports {
  readonly agents: readonly AgentStatus[];
  /** Nodes that did not answer in time. */
  readonly silentNodes: readonly string[];
}

/** An answer is good for so long, milliseconds: many readers cause one question. */
const FRESH_MS = 500;

/** Asks all agents how they are, at most twice a second. */
export function createAgentSurvey(
  nodes: NodeRequests,
  nodeNames: () => Promise<readonly string[]>,
  clock: Clock,
): () => Promise<AgentReports> {
  let asked: { readonly atMs: number; readonly reports: Promise<AgentReports> } | undefined;
  const ask = async (): Promise<AgentReports> => {
    const { answers, silentNodes } = await nodes.askAll<"status">({ kind: "status" }, await nodeNames());
    return { agents: answers.map(({ value }) => value), silentNodes };
  };
  return () => {
    if (asked === undefined || clock.monotonicMs() - asked.atMs > FRESH_MS) {
      asked = { atMs: clock.monotonicMs(), reports: ask() };
    }
    return asked.reports;
  };
}
