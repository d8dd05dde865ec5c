import { afterAll, beforeAll, expect, it } from "vitest";
import type { BpfMap } from "../../src/linux/index.ts";
import { converse } from "./conversation.ts";
import { openPrograms, type Programs } from "./programs.ts";
import { describePrograms } from "./suite.ts";

const LOCAL = ["local_datagram", "local_flow"];
let kernel: Programs;

beforeAll(() => {
  kernel = openPrograms();
});
afterAll(() => kernel?.[Symbol.dispose]());

/** Maps that hold anything but zeros. */
function filled(): string[] {
  return kernel.mapNames.filter((name) => isFilled(kernel.map(name))).toSorted();
}

function isFilled(map: BpfMap): boolean {
  for (const { values, count } of map.batches(4096))
    if (values.subarray(0, count * map.valueBytes).some((byte) => byte !== 0)) return true;
  return false;
}

describePrograms("emptied maps", () => {
  it("hold as little as those of an object just loaded, so that no test sees what another did", () => {
    expect(filled()).toEqual([]);
    kernel.configure();
    kernel.writeMember(1);
    kernel.publish({ sequence: [1], affinitySeconds: 60 });
    kernel.map("node_address").update(Buffer.from([10, 0, 1, 1]), Buffer.from([1, 0, 0, 0]));
    converse(kernel).open();
    kernel.fromClient({ sourcePort: 1, ttl: 1 });
    expect(filled()).toEqual(kernel.mapNames.filter((name) => !LOCAL.includes(name)).toSorted());
    kernel.empty();
    expect(filled()).toEqual([]);
  });
});
