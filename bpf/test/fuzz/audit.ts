import { FLOW, FLOW_STATE, MEMBER } from "../layout.ts";
import type { Programs } from "../programs.ts";
import { readMember, readU32 } from "./outcome.ts";
import { swapKey } from "./read.ts";

const FORWARD = 1;
const REPLY = 2;

interface Flow {
  readonly key: Buffer;
  readonly entry: Buffer;
}
/** By the key in hexadecimal. */
type Flows = ReadonlyMap<string, Flow>;

/** What is wrong with the tables as a whole; undefined when nothing is. */
export function audit(kernel: Programs): string | undefined {
  const flows = readFlows(kernel);
  const open = new Map<number, number>();
  for (const flow of flows.values()) {
    const wrong = judgePair(flow, flows);
    if (wrong) return `flow ${flow.key.toString("hex")} ${wrong}`;
    const member = readMember(flow.entry);
    if (roleOf(flow) === FORWARD && !isClosed(flow)) open.set(member, (open.get(member) ?? 0) + 1);
  }
  return judgeLoads(kernel, open);
}

function judgePair(flow: Flow, flows: Flows): string | undefined {
  const role = roleOf(flow);
  if (role !== FORWARD && role !== REPLY) return `has role ${role}`;
  // A port that is only kept has lost its other half.
  if (role === REPLY && isClosed(flow)) return undefined;
  const opposite = flows.get(oppositeOf(flow).toString("hex"));
  if (!opposite || roleOf(opposite) !== REPLY + FORWARD - role) return "has no other half";
  return oppositeOf(opposite).equals(flow.key) ? undefined : "has another flow's other half";
}

function roleOf({ entry }: Flow): number {
  return entry.readUInt8(FLOW.offsets.role);
}

function isClosed({ entry }: Flow): boolean {
  return readU32(entry, FLOW.offsets.state) === FLOW_STATE.closed;
}

function judgeLoads(kernel: Programs, open: ReadonlyMap<number, number>): string | undefined {
  const rows = kernel.map("member").readRows(0, kernel.map("member").capacityCount);
  for (let index = 0; index * MEMBER.sizeBytes < rows.length; index++) {
    const row = rows.subarray(index * MEMBER.sizeBytes, (index + 1) * MEMBER.sizeBytes);
    const load = readU32(row, MEMBER.offsets.load) | 0;
    if (load !== (open.get(index) ?? 0))
      return `member ${index} has load ${load}, and ${open.get(index) ?? 0} flows that count`;
  }
  return undefined;
}

function readFlows(kernel: Programs): Flows {
  const flows = new Map<string, Flow>();
  const { keyBytes, valueBytes } = kernel.map("flow");
  for (const { keys, values, count } of kernel.map("flow").batches(1024)) {
    for (let at = 0; at < count; at++) {
      const key = Buffer.from(keys.subarray(at * keyBytes, (at + 1) * keyBytes));
      const entry = Buffer.from(values.subarray(at * valueBytes, (at + 1) * valueBytes));
      flows.set(key.toString("hex"), { key, entry });
    }
  }
  return flows;
}

/** The new tuple, swapped. */
function oppositeOf({ key, entry }: Flow): Buffer {
  const tuple = Buffer.from(key);
  entry.copy(tuple, 0, 0, 12);
  return swapKey(tuple);
}
