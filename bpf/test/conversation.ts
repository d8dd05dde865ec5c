import type { FlowKey } from "./layout.ts";
import { FLAGS, type Packet, TCP } from "./packet.ts";
import { type Answer, CLIENT, CONNECT, type Programs } from "./programs.ts";

const CLIENT_START = 1000;
const MEMBER_START = 5000;

/** One TCP connection through the programs, with both ends' sequence numbers kept. */
export interface Conversation {
  readonly forwardKey: FlowKey;
  /** Key of the REPLY entry, from what the member saw last. */
  replyKey(): FlowKey;
  /** A segment from the client; the next sequence number and the right ACK are filled in. */
  client(packet?: Partial<Packet>): Answer;
  /** A segment from the member, to where it saw the client. */
  member(packet?: Partial<Packet>): Answer;
  /** SYN, SYN-ACK, ACK. */
  open(): Conversation;
}

export interface ConversationOptions {
  /** 1-65535. */
  readonly port?: number;
  /** First sequence number of the client. */
  readonly start?: number;
  readonly memberIp?: string;
  readonly destination?: string;
}

/** @param kernel Its pool has one member, 10.0.2.2:8080, unless `options` says otherwise. */
export function converse(kernel: Programs, options: ConversationOptions = {}): Conversation {
  const { port = 40_000, memberIp = "10.0.2.2", destination = CONNECT.ip } = options;
  const next = { client: options.start ?? CLIENT_START, member: MEMBER_START };
  let seen = { ip: "", port: 0 };
  const conversation: Conversation = {
    forwardKey: {
      source: CLIENT.ip,
      destination,
      source_port: port,
      destination_port: CONNECT.port,
      protocol: TCP,
    },
    replyKey: () => ({
      source: memberIp,
      destination: seen.ip,
      source_port: 8080,
      destination_port: seen.port,
      protocol: TCP,
    }),
    client(packet = {}) {
      const sent = { flags: FLAGS.ACK, sequence: next.client, ack: next.member, ...packet };
      const answer = kernel.fromClient({ sourcePort: port, destination, ...sent });
      if (packet.sequence === undefined) next.client += lengthOf(sent);
      if (answer.verdict === "redirect" && (sent.flags & FLAGS.SYN) !== 0) {
        seen = { ip: answer.packet.source, port: answer.packet.sourcePort };
      }
      return answer;
    },
    member(packet = {}) {
      const sent = { flags: FLAGS.ACK, sequence: next.member, ack: next.client, ...packet };
      const answer = kernel.fromMember({
        source: memberIp,
        destination: seen.ip,
        destinationPort: seen.port,
        ...sent,
      });
      if (packet.sequence === undefined) next.member += lengthOf(sent);
      return answer;
    },
    open() {
      conversation.client({ flags: FLAGS.SYN, ack: 0 });
      conversation.member({ flags: FLAGS.SYN | FLAGS.ACK });
      conversation.client();
      return conversation;
    },
  };
  return conversation;
}

function lengthOf(packet: { readonly flags: number; readonly payload?: string }): number {
  const flags = (packet.flags & FLAGS.SYN ? 1 : 0) + (packet.flags & FLAGS.FIN ? 1 : 0);
  return flags + (packet.payload?.length ?? 0);
}
