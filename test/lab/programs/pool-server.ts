/**
 * A control plane that makes up its pools: 2 members each, all up. Serves the Kubernetes API on a free port of loopback
 * and prints its URL. Each line on standard input that says `change N` changes pool N's verdicts.
 *
 *     pool-server POOL_COUNT
 */
import { createInterface } from "node:readline";
import { createHttpServer, createKubeApi } from "../../../src/api/index.ts";
import { ParasausError, silentLogger, systemClock } from "../../../src/foundation/index.ts";
import { DEFINITIONS, type KubeObject } from "../../../src/model/index.ts";
import type { Resources, WatchEvent } from "../../../src/resources/index.ts";

const poolCount = Number(process.argv[2] ?? 35_000);
const changes: WatchEvent[] = [];
const changed = new Map<number, KubeObject>();
let wake: (() => void) | undefined;
let revision = poolCount;

function poolNumber(number: number, resourceVersion: number, isSecondUp = true): KubeObject {
  const place = (member: number) => ({ ip: `10.${member}.${number >> 8}.${number & 255}`, port: 8080 });
  const since = "2026-01-01T00:00:00Z";
  return {
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: {
      name: `pool-${number}`,
      namespace: "default",
      uid: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
      resourceVersion: String(resourceVersion),
      generation: 1,
      creationTimestamp: since,
    },
    spec: {
      addressPool: "node-ports",
      protocol: "TCP",
      scheduler: "rr",
      forwarding: "fullnat",
      sessionAffinity: { type: "None", timeoutSeconds: 10_800 },
      drainSeconds: 30,
      onMemberDown: "keep",
      failOpen: { threshold: 0 },
      healthCheck: {
        type: "http",
        initialState: "unchecked",
        http: { path: "/healthz", expect: ["200-399"] },
      },
      members: [1, 2].map((member) => ({ ...place(member), weight: 1, state: "ready" })),
    },
    status: {
      connectAddresses: [{ ip: "*", port: 30_000 + number, protocol: "TCP" }],
      members: [1, 2].map((member) => ({
        ...place(member),
        verdict: member === 1 || isSecondUp ? "up" : "down",
        reason: "L7OK 200",
        since,
      })),
      conditions: ["Allocated", "Available", "Announced"].map((type) => ({
        type,
        status: "True",
        reason: "AsWanted",
        message: "Everything about this pool is as its specification wants it",
        lastTransitionTime: since,
      })),
    },
  } as KubeObject;
}

async function* watchPools(signal: AbortSignal, after: number): AsyncGenerator<WatchEvent> {
  let delivered = after - poolCount;
  let bookmarkMs = 0;
  while (!signal.aborted) {
    for (; delivered < changes.length; delivered += 1) {
      const event = changes[delivered];
      if (event) yield event;
    }
    if (systemClock.monotonicMs() - bookmarkMs > 2_000) {
      bookmarkMs = systemClock.monotonicMs();
      yield { type: "BOOKMARK", resourceVersion: String(revision) };
    }
    await new Promise<void>((resolve) => {
      wake = resolve;
      setTimeout(resolve, 500);
    });
  }
}

const refuse = async (): Promise<never> => {
  throw new ParasausError("NotFound", "Cannot find it: this control plane has pools only");
};
const resources: Resources = {
  get: refuse,
  update: refuse,
  delete: refuse,
  create: async (_definition, object) => object as KubeObject,
  patch: async ({ name }) => ({ apiVersion: "parasaus.io/v1", kind: "Node", metadata: { name } }),
  list: async (_definition, { limit = poolCount, continue: token = "0" } = {}) => {
    const first = Number(token);
    const end = Math.min(poolCount, first + limit);
    const items = Array.from(
      { length: end - first },
      (_, index) => changed.get(first + index) ?? poolNumber(first + index, first + index + 1),
    );
    return {
      items,
      resourceVersion: String(revision),
      ...(end < poolCount ? { continue: String(end) } : {}),
    };
  },
  watch: (_definition, { signal, resourceVersion }) => watchPools(signal, Number(resourceVersion)),
};

const server = await createHttpServer(
  {
    logger: silentLogger,
    version: "0.0.0",
    health: { live: [], ready: [] },
    metrics: async () => ({ contentType: "text/plain", body: "" }),
    routes: [createKubeApi({ resources, definitions: DEFINITIONS, clock: systemClock, version: "0.0.0" })],
  },
  { host: "127.0.0.1", port: 0 },
);
process.stdout.write(`${server.url}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const number = Number(/^change (\d+)$/.exec(line)?.[1]);
  revision += 1;
  const object = poolNumber(number, revision, false);
  changed.set(number, object);
  changes.push({ type: "MODIFIED", object });
  wake?.();
}
process.exit(0);
