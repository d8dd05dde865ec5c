import type { LoadedConfiguration } from "../configuration/index.ts";
import type { Terminal } from "../foundation/index.ts";
import { agentArguments } from "./agent/agent-command.ts";
import { reasonNotToForward } from "./agent/forwarding-check.ts";
import { superviseAgent } from "./agent/supervise-agent.ts";
import { beginProgram, untilAborted } from "./program.ts";
import { startUnlessAborted, welcome } from "./run-server.ts";

/** Runs the control plane and, as a child, this machine's agent, until the signal aborts. @returns The exit code. */
export async function runUpProcess(loaded: LoadedConfiguration, terminal: Terminal): Promise<number> {
  const program = beginProgram(loaded, terminal);
  const { log, clock, random, logFormat } = program;
  await using controlPlane = await startUnlessAborted(program, loaded, terminal.signal);
  if (!controlPlane) return 0;
  welcome(loaded, terminal, program, controlPlane, reasonNotToForward(loaded.values, terminal));
  const signal = AbortSignal.any([terminal.signal, controlPlane.overtaken]);
  const agent = superviseAgent({
    command: [...terminal.self, ...agentArguments(loaded, controlPlane, logFormat)],
    environment: terminal.environment,
    log: log.child({ logger: "agent-supervisor" }),
    clock,
    random,
    signal,
  });
  await untilAborted(signal);
  log.info("ending; what the kernel holds goes on forwarding");
  await agent;
  return terminal.signal.aborted ? 0 : 1;
}
