import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  type Controllers,
  memberAddressAdmission,
  poolOwnershipAdmission,
  soleAuthority,
  startControllers,
} from "../../src/controllers/index.ts";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { type GuardedAddressClass, PROBES, type ProbeRegistry } from "../../src/health/index.ts";
import {
  DEFINITIONS,
  findDefinition,
  type KubeObject,
  type ResourceDefinition,
} from "../../src/model/index.ts";
import type { ObjectReference, Resources } from "../../src/resources/index.ts";
import {
  createLocalResources,
  ensureBuiltins,
  startGarbageCollector,
} from "../../src/resources/local/index.ts";
import { followPools, type PoolView } from "../../src/server/pool-view.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";

const OPERATOR = { operator: "alice" } as const;

/** A control plane without its API: store, objects, garbage collector, controllers. */
export interface ControlPlane extends AsyncDisposable {
  readonly resources: Resources;
  readonly controllers: Controllers;
  readonly directory: string;
  /** Creates or replaces an object, as `kubectl apply` of a whole file would. */
  apply(object: unknown): Promise<KubeObject>;
  get<Kind extends KubeObject>(kind: string, name: string): Promise<Kind | undefined>;
  list<Kind extends KubeObject>(kind: string): Promise<Kind[]>;
  remove(kind: string, name: string): Promise<void>;
  /** Waits until the object, or its absence, is as wanted. */
  until<Kind extends KubeObject>(
    kind: string,
    name: string,
    wanted: (object: Kind | undefined) => boolean,
    withinMs?: number,
  ): Promise<Kind | undefined>;
  /** Stops everything and starts it again over the same directory. */
  restart(): Promise<ControlPlane>;
}

/** How to open a control plane. */
export interface ControlPlaneOptions {
  /** Of an earlier control plane; it goes with this one. */
  readonly directory?: string;
  readonly probes?: ProbeRegistry;
  readonly allowedProbeClasses?: readonly GuardedAddressClass[];
}

/** Every member passes every check at once. */
const HEALTHY: ProbeRegistry = Object.fromEntries(
  Object.keys(PROBES).map((type) => [
    type,
    (_target, report) => {
      report("L4OK", "connected");
      return { timeoutCode: () => "L4TOUT" as const, abandon: () => undefined };
    },
  ]),
);

/** Opens a control plane in a directory of its own, which goes with it unless one is given. */
export async function openControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const directory = options.directory ?? mkdtempSync(path.join(tmpdir(), "parasaus-control-"));
  const store = await openEmbeddedStore({ directory, clock: systemClock, logger: silentLogger });
  let view: PoolView | undefined;
  const resources = createLocalResources({
    store,
    clock: systemClock,
    autoCreateNamespaces: true,
    admission: [poolOwnershipAdmission, memberAddressAdmission((...at) => view?.holderAt(...at))],
  });
  await ensureBuiltins(resources);
  const stop = new AbortController();
  const collecting = startGarbageCollector({
    resources,
    definitions: DEFINITIONS,
    clock: systemClock,
    logger: silentLogger,
    signal: stop.signal,
  });
  const running = startControllers({
    authority: soleAuthority(resources),
    clock: systemClock,
    logger: silentLogger,
    signal: stop.signal,
    probes: options.probes ?? HEALTHY,
    ...(options.allowedProbeClasses ? { allowedProbeClasses: options.allowedProbeClasses } : {}),
  });
  view = followPools(resources, { clock: systemClock, logger: silentLogger, signal: stop.signal });
  const close = async (): Promise<void> => {
    await running[Symbol.asyncDispose]();
    stop.abort();
    await Promise.all([collecting, view?.ended]);
    await store[Symbol.asyncDispose]();
  };
  return {
    resources,
    controllers: running,
    directory,
    ...verbs(resources),
    async restart() {
      await close();
      return openControlPlane({ ...options, directory });
    },
    async [Symbol.asyncDispose]() {
      await close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function verbs(resources: Resources): Pick<ControlPlane, "apply" | "get" | "list" | "remove" | "until"> {
  const read = async <Kind extends KubeObject>(kind: string, name: string): Promise<Kind | undefined> =>
    (await resources.get(referenceTo(kind, name)).catch(() => undefined)) as Kind | undefined;
  return {
    get: read,
    async apply(object) {
      const { kind, metadata } = object as KubeObject;
      const name = metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;
      const existing = await read(kind, name);
      if (!existing) return resources.create(definitionOf(kind), object, OPERATOR);
      const { resourceVersion: _stale, ...own } = { ...existing.metadata, ...metadata };
      return resources.update(
        referenceTo(kind, name),
        { ...(object as KubeObject), metadata: own },
        OPERATOR,
      );
    },
    async list<Kind extends KubeObject>(kind: string) {
      return (await resources.list(definitionOf(kind))).items as unknown as Kind[];
    },
    async remove(kind, name) {
      await resources.delete(referenceTo(kind, name), OPERATOR);
    },
    async until<Kind extends KubeObject>(
      kind: string,
      name: string,
      wanted: (object: Kind | undefined) => boolean,
      withinMs = 10_000,
    ) {
      const deadlineMs = performance.now() + withinMs;
      for (;;) {
        const object = await read<Kind>(kind, name);
        if (wanted(object)) return object;
        if (performance.now() > deadlineMs)
          throw new Error(`${kind} ${name} stays ${JSON.stringify(object)}`);
        await systemClock.sleep(10);
      }
    },
  };
}

function definitionOf(kind: string): ResourceDefinition {
  const definition = findDefinition(kind);
  if (!definition) throw new Error(`there is no kind ${kind}`);
  return definition;
}

function referenceTo(kind: string, name: string): ObjectReference {
  const definition = definitionOf(kind);
  const [namespace = "", own = ""] = definition.namespaced ? name.split("/") : ["", name];
  return { definition, name: own, ...(definition.namespaced ? { namespace } : {}) };
}
