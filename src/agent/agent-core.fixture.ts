import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { PoolOperation, Predecessor } from "../dataplane/index.ts";
import { MemoryKernel, openMemoryDriver } from "../dataplane/memory/index.ts";
import { FakeClock, type Logger, ParasausError, silentLogger } from "../foundation/index.ts";
import type { KubeObject, MemberStatus, PoolMember } from "../model/index.ts";
import type { Resources } from "../resources/index.ts";
import { AgentCore } from "./agent-core.ts";

/** A machine for tests of the agent's core: a kernel, a clock and a directory for the snapshot. */
export interface TestMachine extends AsyncDisposable {
  readonly clock: FakeClock;
  /** A reboot replaces it. */
  kernel: MemoryKernel;
  readonly directory: string;
}

/** Makes one. */
export async function makeMachine(): Promise<TestMachine> {
  const directory = await mkdtemp(path.join(tmpdir(), "parasaus-agent-"));
  const clock = new FakeClock();
  return {
    clock,
    kernel: new MemoryKernel({ clock }),
    directory,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

/** An agent without its loops, over the kernel of the test. */
export function agentOn(
  machine: TestMachine,
  options: {
    readonly nodeName?: string;
    readonly applied?: PoolOperation[][];
    readonly logger?: Logger;
    /** Called while the driver is at work. */
    readonly whileApplying?: () => void;
    readonly predecessor?: Predecessor;
    readonly driverDrainSeconds?: number;
  } = {},
): AgentCore {
  const memory = openMemoryDriver(machine.kernel);
  return new AgentCore({
    resources: unreachable,
    driver: {
      ...memory,
      apply: (operations) => {
        options.applied?.push([...operations]);
        options.whileApplying?.();
        return memory.apply(operations);
      },
    },
    nodeName: options.nodeName ?? "n1",
    addresses: [],
    snapshotDirectory: machine.directory,
    version: "0.1.0",
    clock: machine.clock,
    logger: options.logger ?? silentLogger,
    signal: new AbortController().signal,
    ...(options.predecessor ? { predecessor: options.predecessor } : {}),
    driverDrainSeconds: options.driverDrainSeconds ?? 0,
  });
}

const unreachable: Resources = new Proxy({} as Resources, {
  get() {
    throw new ParasausError("Unavailable", "Cannot reach a server: there is none in this test");
  },
});

/** Pool `number`, on port 30000 + number. */
export function poolNumber(
  number: number,
  change: {
    readonly revision?: number;
    readonly members?: readonly Partial<PoolMember>[];
    readonly verdicts?: readonly MemberStatus["verdict"][];
    readonly drainSeconds?: number;
  } = {},
): KubeObject {
  const members = (change.members ?? [{}, {}]).map((member, index) => ({
    ip: `10.0.0.${index + 1}`,
    port: 80,
    weight: 1,
    state: "ready",
    ...member,
  }));
  const verdicts = change.verdicts ?? members.map(() => "up");
  return {
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: {
      name: `pool-${number}`,
      namespace: "default",
      uid: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
      resourceVersion: String(change.revision ?? number),
    },
    spec: {
      addressPool: "node-ports",
      protocol: "TCP",
      scheduler: "rr",
      forwarding: "fullnat",
      sessionAffinity: { type: "None", timeoutSeconds: 10_800 },
      drainSeconds: change.drainSeconds ?? 30,
      onMemberDown: "keep",
      failOpen: { threshold: 0 },
      healthCheck: { type: "tcp", initialState: "unchecked" },
      members,
    },
    status: {
      connectAddresses: [{ ip: "*", port: 30_000 + number, protocol: "TCP" }],
      members: members.map(({ ip, port }, index) => ({
        ip,
        port,
        verdict: verdicts[index] ?? "up",
        reason: "",
        since: "",
      })),
    },
  } as KubeObject;
}

/** The server has these pools. */
export function takeAll(agent: AgentCore, pools: readonly KubeObject[], revision: string, epoch = 1): void {
  agent.takeAll(
    pools.map((pool) => agent.desired.translate(pool)),
    { epoch, revision },
  );
}

/** `30001: active paused`, one string a pool. */
export async function kernelHolds(machine: TestMachine): Promise<string[]> {
  const pools = await openMemoryDriver(machine.kernel).observe();
  return pools.map(({ addresses, members }) => {
    const ports = addresses.map(({ port, closingDeadlineMs }) =>
      closingDeadlineMs === undefined ? `${port}` : `closing ${port}`,
    );
    return `${ports.join(" ")}: ${members.map((member) => member.disposition).join(" ")}`;
  });
}
