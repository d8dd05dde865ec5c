import { type Random, seeded } from "../../../test/lab/random.ts";
import { DROPS, FLOW_KEY, type FlowKey, MEMBER_LOCAL } from "../layout.ts";
import { NODE, type Programs } from "../programs.ts";
import { audit } from "./audit.ts";
import { makeShot, type SeenFlow, type Shot, swapped, type Tuple } from "./generate.ts";
import { judge, SIDE_COUNTERS } from "./judge.ts";
import type { Outcome } from "./outcome.ts";
import { readFrame } from "./read.ts";
import { ageFlow, changeMember, closeFlow, configure, fillWorld, isLocalMember, SERVICES } from "./world.ts";

const MEMBER_COUNT = 12;
const KEPT_FLOWS = 200;
const PACKETS_PER_CHANGE = 40;
const PACKETS_PER_AUDIT = 2000;
const MAC_BYTES = 6;
const MACS = { clients: Buffer.from(NODE.clientMac, "hex"), members: Buffer.from(NODE.memberMac, "hex") };

/** What a run has seen. */
export interface FuzzReport {
  readonly packets: number;
  /** What became of packets. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly drops: Readonly<Record<string, number>>;
  readonly audits: number;
}

/**
 * Sends packets that are random, or right but for one thing, and changes the tables in between as an agent does.
 *
 * @throws Error with seed, number and bytes of the first packet that came out wrong
 */
export function fuzz(kernel: Programs, seed: number, packets: number): FuzzReport {
  const random = seeded(seed);
  const seen: SeenFlow[] = [];
  const kinds: Record<string, number> = {};
  const held = holdTables(kernel);
  let audits = 0;
  kernel.empty();
  fillWorld(kernel);
  const complain = (number: number, what: string, bytes = "") => {
    throw new Error(`Seed ${seed}, packet ${number}: ${what}\n${bytes}`);
  };
  for (let number = 1; number <= packets; number++) {
    if (number % PACKETS_PER_CHANGE === 0) changeSomething(kernel, random, seen);
    const shot = makeShot(random, seen);
    const outcome = fire(kernel, held, shot);
    const wrong = judge(outcome);
    if (wrong) complain(number, `${shot.hook}: ${wrong}`, `${hex(outcome.sent)}\n${hex(outcome.got)}`);
    const kind = kindOf(outcome);
    kinds[kind] = (kinds[kind] ?? 0) + 1;
    learn(outcome, seen, random);
    if (number % PACKETS_PER_AUDIT !== 0 && number !== packets) continue;
    audits += 1;
    const amiss = audit(kernel);
    if (amiss) complain(number, amiss);
  }
  return { packets, kinds, drops: kernel.drops(), audits };
}

interface HeldTables {
  /** What the counters have risen by since the last call. */
  countDrops(): Record<string, number>;
  readFlow(key: Buffer): Buffer | undefined;
}

function holdTables(kernel: Programs): HeldTables {
  const flows = kernel.map("flow");
  const counters = kernel.map("drops");
  const last = new BigUint64Array((counters.valueBytes / 8) * DROPS.length);
  return {
    countDrops() {
      const rows = counters.readRows(0, DROPS.length);
      const counts = new BigUint64Array(rows.buffer, rows.byteOffset, last.length);
      const rises: Record<string, number> = {};
      counts.forEach((count, at) => {
        if (count === last[at]) return;
        const name = DROPS[Math.floor((at * DROPS.length) / last.length)] ?? "";
        rises[name] = (rises[name] ?? 0) + Number(count - (last[at] ?? 0n));
      });
      last.set(counts);
      return rises;
    },
    readFlow(key) {
      const entry = Buffer.alloc(flows.valueBytes);
      return flows.lookup(key, entry) ? entry : undefined;
    },
  };
}

function fire(kernel: Programs, held: HeldTables, shot: Shot): Outcome {
  const { bytes, hook, side, isForwarded } = shot;
  const frame = readFrame(bytes);
  const known = frame && held.readFlow(frame.key);
  const { verdict, bytes: got } = kernel.send(hook, bytes, side, hook === "egress" && !isForwarded);
  return {
    sent: bytes,
    hook,
    isForUs: hook === "ingress" ? bytes.subarray(0, MAC_BYTES).equals(MACS[side]) : !isForwarded,
    verdict,
    got,
    drops: held.countDrops(),
    isService: (key) => SERVICES.has(serviceKeyOf(key)),
    before: (key) => (frame?.key.equals(key) ? known : held.readFlow(key)),
    after: held.readFlow,
    flagsOf: (member) => (isLocalMember(member) ? MEMBER_LOCAL : 0),
  };
}

function kindOf({ verdict, sent, hook, drops }: Outcome): string {
  if (verdict === "pass" || verdict === "drop") return verdict;
  if (isReset(drops)) return "reset";
  const frame = readFrame(sent);
  if (!frame) return "error forwarded";
  if (verdict === "ok") return hook === "egress" ? "answer of the node" : "given to the node";
  return SERVICES.has(serviceKeyOf(frame.key)) ? "to a member" : "to a client";
}

/** A reason was counted for a packet that goes on: for the one that was answered in its stead. */
function isReset(drops: Readonly<Record<string, number>>): boolean {
  return Object.keys(drops).some((name) => !SIDE_COUNTERS.includes(name));
}

function serviceKeyOf(key: Buffer): string {
  return Buffer.concat([key.subarray(4, 8), key.subarray(10, 13), Buffer.alloc(1)]).toString("hex");
}

/** Keeps what a client's packet and its member's view of it were, so that answers can be made. */
function learn({ sent, got, verdict, hook, drops }: Outcome, seen: SeenFlow[], random: Random): void {
  const isForwarded = (verdict === "ok" || verdict === "redirect") && !isReset(drops);
  const [asSent, asSeen] = [readFrame(sent), readFrame(got)];
  if (!isForwarded || hook === "egress" || !asSent || !asSeen) return;
  if (!SERVICES.has(serviceKeyOf(asSent.key))) return;
  const flow = { asSent: tupleOf(asSent.key), asSeen: tupleOf(asSeen.key) };
  if (seen.length < KEPT_FLOWS) seen.push(flow);
  else seen[random.below(KEPT_FLOWS)] = flow;
}

function tupleOf(key: Buffer): Tuple {
  const { source, destination, source_port, destination_port, protocol } = FLOW_KEY.decode(key);
  return { source, destination, sourcePort: source_port, destinationPort: destination_port, protocol };
}

/** What an agent does, or time. */
function changeSomething(kernel: Programs, random: Random, seen: readonly SeenFlow[]): void {
  const deeds = [
    () => {
      const state = random.chance(0.8) ? "active" : random.pick(["paused", "draining", "cut"] as const);
      changeMember(kernel, 1 + random.below(MEMBER_COUNT), state, random.chance(0.5));
    },
    () => configure(kernel, random.below(1000)),
    () => {
      if (seen.length === 0) return;
      const { asSent, asSeen } = random.pick(seen);
      const keys = [asSent, swapped(asSeen)].map(keyOf);
      if (random.chance(0.7)) ageFlow(kernel, keys, 1 + random.below(14));
      else closeFlow(kernel, FLOW_KEY.encode(keys[random.below(2)] ?? {}), 1 + random.below(2));
    },
  ];
  random.pick(deeds)();
}

function keyOf(tuple: Tuple): FlowKey {
  const { source, destination, sourcePort, destinationPort, protocol } = tuple;
  return { source, destination, source_port: sourcePort, destination_port: destinationPort, protocol };
}

const hex = (bytes: Buffer) => bytes.toString("hex");
