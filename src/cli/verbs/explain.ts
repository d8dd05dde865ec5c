import { formatHostPort, ParasausError, parseHostPort } from "../../foundation/index.ts";
import { connect, type FlowAnswer } from "../client/connection.ts";
import { fact, renderDescription } from "../describe/layout.ts";
import { formatSeconds } from "../output/age.ts";
import { EXIT } from "../output/errors.ts";
import { writeStructured } from "../output/structured.ts";
import { type Invocation, isSet, textOption, type Verb } from "../verb.ts";

/** `parasaus explain`. */
export const explain: Verb = {
  arguments: [
    { syntax: "<client>", description: "the client's address and port: IP:PORT" },
    { syntax: "<address>", description: "the connect address that it dialled: IP:PORT" },
  ],
  options: [
    { flags: "--udp", description: "a UDP flow (default: TCP)" },
    { flags: "--sctp", description: "an SCTP association" },
    { flags: "-o, --output <format>", description: "output format", choices: ["text", "json", "yaml"] },
  ],
  programs: ["client"],
  examples: [
    ["Where does this connection go, since when and why?", "parasaus explain 10.1.0.9:51312 10.0.0.5:40796"],
  ],
  run: explainFlow,
};

async function explainFlow(invocation: Invocation): Promise<number> {
  const [client, address] = invocation.arguments.map(readEndpoint);
  if (!client || !address) throw new ParasausError("Usage", "Cannot explain: expected IP:PORT IP:PORT");
  const protocol = isSet(invocation, "udp") ? "UDP" : isSet(invocation, "sctp") ? "SCTP" : "TCP";
  const flow = {
    protocol,
    clientIp: client.ip,
    clientPort: client.port,
    ip: address.ip,
    port: address.port,
  } as const;
  const { explainFlow: ask } = connect(invocation);
  const { answers, silentNodes } = await ask(flow);
  const { stdout, stderr } = invocation.terminal;
  if (silentNodes.length > 0) stderr.write(`Warning: no answer from ${silentNodes.join(", ")}\n`);
  const format = textOption(invocation, "output") ?? "text";
  if (format !== "text") {
    await writeStructured(stdout, format, { flow, answers, silentNodes });
    return answers.length > 0 ? EXIT.ok : EXIT.failure;
  }
  if (answers.length === 0) {
    const [from, to] = invocation.arguments;
    throw new ParasausError(
      "NotFound",
      `Cannot explain ${from} to ${to}: no node's kernel holds such a flow`,
    );
  }
  stdout.write(answers.map(describeAnswer).join("\n"));
  return EXIT.ok;
}

const WHY: Readonly<Record<FlowAnswer["why"], string>> = {
  scheduled: "the scheduler picked it for a new flow",
  affinity: "session affinity: the same client went there before",
  adopted: "adopted without a SYN: the table says that this flow belongs there",
  rescheduled: "scheduled anew: the first pick was no longer eligible when the SYN came again",
};

function describeAnswer(answer: FlowAnswer): string {
  const { flow } = answer;
  return renderDescription([
    fact(
      "Flow",
      `${formatHostPort(flow.clientIp, flow.clientPort)} to ${formatHostPort(flow.ip, flow.port)}/${flow.protocol}`,
    ),
    fact("Node", answer.node),
    fact(
      "Pool",
      answer.pool ? `${answer.pool.namespace}/${answer.pool.name}` : `gone (uid ${answer.poolUid})`,
    ),
    fact("Member", `${formatHostPort(answer.memberIp, answer.memberPort)} (${answer.memberDisposition})`),
    fact("Why", WHY[answer.why]),
    fact("State", answer.state),
    ...(answer.ageMs === undefined
      ? []
      : [fact("Since", `${formatSeconds(Math.floor(answer.ageMs / 1000))} ago`)]),
    fact("Last Packet", `${formatSeconds(Math.floor(answer.idleMs / 1000))} ago`),
    ...(answer.translatedSource ? [fact("Member Sees", answer.translatedSource)] : []),
  ]);
}

function readEndpoint(text: string): { ip: string; port: number } {
  const endpoint = parseHostPort(text);
  if (!endpoint) throw new ParasausError("Usage", `Cannot read "${text}": expected IP:PORT or [IPV6]:PORT`);
  return endpoint;
}
