import { type BpfMap, openPinnedMap } from "../../src/linux/index.ts";

const MEMBER_STATE_AT = 22;
const MEMBER_LOAD_AT = 48;
const FLOW_STATE_AT = 20;
const FLOW_ROLE_AT = 28;
const FLOW_FORWARD = 1;
const FLOW_CLOSED = 4;
const BATCH = 1_024;

/** What the node's pinned maps hold, read past the product. */
export interface KernelView {
  /** Entries of the flow table. */
  readonly flowEntries: number;
  /** Flows that are half-open or established. */
  readonly countedFlows: number;
  /** Load of every member in use. */
  readonly loads: readonly number[];
}

/** Path of one of the node's pinned maps. */
export function pinnedMapPath(nodeName: string, map: string): string {
  return `/sys/fs/bpf/parasaus/${nodeName}/v1/${map}`;
}

/** Reads flow table and loads of a node. */
export function readKernel(nodeName: string): KernelView {
  let flowEntries = 0;
  let countedFlows = 0;
  const loads: number[] = [];
  eachRow(nodeName, "flow", (row) => {
    flowEntries += 1;
    const isForward = row.getUint8(FLOW_ROLE_AT) === FLOW_FORWARD;
    if (isForward && row.getUint32(FLOW_STATE_AT, true) !== FLOW_CLOSED) countedFlows += 1;
  });
  eachRow(nodeName, "member", (row) => {
    if (row.getUint8(MEMBER_STATE_AT) !== 0) loads.push(Number(row.getBigInt64(MEMBER_LOAD_AT, true)));
  });
  return { flowEntries, countedFlows, loads };
}

function eachRow(nodeName: string, name: string, visit: (row: DataView) => void): void {
  const map = openMap(nodeName, name);
  try {
    for (const batch of map.batches(BATCH)) {
      for (let index = 0; index < batch.count; index += 1) {
        visit(
          new DataView(batch.values.buffer, batch.values.byteOffset + index * map.valueBytes, map.valueBytes),
        );
      }
    }
  } finally {
    map.close();
  }
}

/** Opens one of the node's pinned maps; the caller closes it. */
export function openMap(nodeName: string, name: string): BpfMap {
  const map = openPinnedMap(pinnedMapPath(nodeName, name));
  if (!map) throw new Error(`Cannot read map "${name}" of node "${nodeName}": it is not pinned`);
  return map;
}
