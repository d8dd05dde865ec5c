/**
 * Runs the packet program of a node, one packet at a time, and prints medians as JSON: `{ flow, foreign }`, in ns.
 * Runs inside the node's namespace, because routes are looked up where the program runs.
 *
 *     tsx packet-cost.ts NODE_NAME CONNECT_IP CONNECT_PORT
 */
import { readdirSync } from "node:fs";
import { buildPacket, FLAGS, type Packet, TCP } from "../../bpf/test/packet.ts";
import { openPinnedProgram, testRun } from "../../src/linux/index.ts";
import { openMap } from "../../test/lab/kernel.ts";
import { quantile } from "../statistics.ts";

const RUNS = 5_000;
const CLIENT_SEQUENCE = 1_000;
const MEMBER_SEQUENCE = 5_000;

const [nodeName = "", connectIp = "", connectPort = ""] = process.argv.slice(2);
const pins = `/sys/fs/bpf/parasaus/${nodeName}/v1`;
const folder = readdirSync(pins).find((name) => name.startsWith("programs-"));
const opened = openPinnedProgram(`${pins}/${folder}/tc_ingress`);
if (!opened) throw new Error(`Cannot measure: node "${nodeName}" has no programs`);
const program = opened;

const client: Packet = {
  destinationMac: "000000000000",
  sourceMac: "000000000001",
  source: "10.77.16.1",
  destination: connectIp,
  protocol: TCP,
  sourcePort: 40_000,
  destinationPort: Number(connectPort),
  ttl: 64,
  flags: FLAGS.ACK,
  sequence: CLIENT_SEQUENCE + 1,
  ack: MEMBER_SEQUENCE + 1,
  ipOptions: "",
  tcpOptions: "",
  payload: "",
  fragment: 0,
  zeroChecksum: false,
};

testRun(program, { packet: buildPacket({ ...client, flags: FLAGS.SYN, sequence: CLIENT_SEQUENCE, ack: 0 }) });
testRun(program, {
  packet: buildPacket({
    ...client,
    ...memberSide(),
    flags: FLAGS.SYN | FLAGS.ACK,
    sequence: MEMBER_SEQUENCE,
    ack: CLIENT_SEQUENCE + 1,
  }),
});
const flow = medianNs(buildPacket(client));
const foreign = medianNs(buildPacket({ ...client, destination: "10.99.99.99" }));
process.stdout.write(`${JSON.stringify({ flow, foreign })}\n`);

/** The member's end of the flow, from the flow's entry: its new tuple, swapped. */
function memberSide(): Partial<Packet> {
  const key = Buffer.alloc(16);
  quad(client.source).copy(key, 0);
  quad(client.destination).copy(key, 4);
  key.writeUInt16BE(client.sourcePort, 8);
  key.writeUInt16BE(client.destinationPort, 10);
  key[12] = TCP;
  const map = openMap(nodeName, "flow");
  const entry = Buffer.alloc(map.valueBytes);
  if (!map.lookup(key, entry)) throw new Error("Cannot measure: the SYN opened no flow");
  map.close();
  const text = (at: number) => [...entry.subarray(at, at + 4)].join(".");
  return {
    source: text(4),
    destination: text(0),
    sourcePort: entry.readUInt16BE(10),
    destinationPort: entry.readUInt16BE(8),
  };
}

function quad(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

function medianNs(packet: Buffer): number {
  const times = Array.from({ length: RUNS }, () => testRun(program, { packet }).durationNs);
  return quantile(times, 0.5);
}
