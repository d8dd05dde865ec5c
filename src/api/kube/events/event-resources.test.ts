import { describe, expect, it } from "vitest";
import { FakeClock, hasCode, ParasausError } from "../../../foundation/index.ts";
import { DEFINITIONS, eventDefinition, type KubeEvent, type KubeObject } from "../../../model/index.ts";
import type { ListOptions, Resources } from "../../../resources/index.ts";
import { createEventResources } from "./event-resources.ts";

const NOW = "2026-01-01T12:00:00Z";
const timeBefore = (minutes: number): string => new Date(Date.parse(NOW) - minutes * 60_000).toISOString();

/** A pool whose members went down so many minutes ago. */
function poolOf(namespace: string, name: string, minutes: readonly number[]): KubeObject {
  const members = minutes.map((age, at) => ({
    ip: `10.0.${at >> 8}.${at & 255}`,
    port: 80,
    verdict: "down",
    reason: "L4CON",
    since: timeBefore(age),
  }));
  const metadata = { name, namespace, uid: `uid-${namespace}-${name}` };
  return { apiVersion: "parasaus.io/v1", kind: "Pool", metadata, status: { members } } as KubeObject;
}

function operationOn(kind: string, name: string, namespace?: string): KubeObject {
  const object = { apiVersion: "v1", kind, name, uid: `uid-${name}`, ...(namespace ? { namespace } : {}) };
  const spec = { operator: "alice", time: timeBefore(1), verb: "update", object, revision: "1" };
  return { apiVersion: "parasaus.io/v1", kind: "Operation", metadata: { name: "o" }, spec } as KubeObject;
}

/** Objects that only need to be read; says what was read. */
function eventsOver(objects: readonly KubeObject[]): { events: Resources; reads: string[] } {
  const reads: string[] = [];
  const unwritable = async () => {
    throw new Error("Events write nothing");
  };
  const resources: Resources = {
    list: async (definition, options = {}) => {
      reads.push(`list ${definition.kind} ${options.namespace ?? ""}`.trimEnd());
      const items = objects.filter(
        ({ kind, metadata }) =>
          kind === definition.kind &&
          (options.namespace === undefined || metadata.namespace === options.namespace),
      );
      return { items, resourceVersion: "42" };
    },
    get: async ({ definition, namespace, name }) => {
      reads.push(`get ${definition.kind} ${namespace}/${name}`);
      const found = objects.find(
        ({ kind, metadata }) =>
          kind === definition.kind && metadata.name === name && metadata.namespace === namespace,
      );
      if (!found) throw new ParasausError("NotFound", "not found");
      return found;
    },
    create: unwritable,
    update: unwritable,
    patch: unwritable,
    delete: unwritable,
    watch: () => {
      throw new Error("Events watch nothing");
    },
  };
  const clock = new FakeClock(new Date(NOW));
  return { events: createEventResources({ resources, definitions: DEFINITIONS, clock }), reads };
}

async function messagesOf(events: Resources, options: ListOptions): Promise<string[]> {
  const { items } = await events.list(eventDefinition, options);
  return items.map((item) => {
    const { involvedObject, message } = item as KubeEvent;
    return `${involvedObject.name}: ${message}`;
  });
}

const WEB =
  "involvedObject.name=web,involvedObject.namespace=shop,involvedObject.kind=Pool,involvedObject.uid=uid-shop-web";

describe("Events over objects", () => {
  it("reads one object alone when kubectl describes it, and tells of it whatever its age", async () => {
    const { events, reads } = eventsOver([
      poolOf("shop", "web", [600, 1]),
      poolOf("shop", "api", [1]),
      operationOn("Pool", "api", "shop"),
    ]);
    expect(await messagesOf(events, { namespace: "shop", fieldSelector: WEB })).toEqual([
      "web: 10.0.0.0:80 is down: L4CON",
      "web: 10.0.0.1:80 is down: L4CON",
    ]);
    expect(reads).toEqual(["list Operation", "get Pool shop/web"]);
  });

  it("says nothing of an object that is gone but what operators did to it", async () => {
    const { events } = eventsOver([operationOn("Pool", "web", "shop")]);
    const fieldSelector = "involvedObject.name=web,involvedObject.kind=Pool";
    expect(await messagesOf(events, { namespace: "shop", fieldSelector })).toEqual(["web: alice updated it"]);
  });

  it("lists the last hour of a namespace, and of all of them without one", async () => {
    const { events } = eventsOver([
      poolOf("shop", "web", [61, 59]),
      poolOf("other", "api", [5]),
      operationOn("AddressPool", "public"),
    ]);
    expect(await messagesOf(events, { namespace: "shop" })).toEqual(["web: 10.0.0.1:80 is down: L4CON"]);
    expect(await messagesOf(events, { namespace: "default" })).toEqual(["public: alice updated it"]);
    expect(await messagesOf(events, {})).toEqual([
      "web: 10.0.0.1:80 is down: L4CON",
      "api: 10.0.0.0:80 is down: L4CON",
      "public: alice updated it",
    ]);
  });

  it("selects by type and reason, as by what is involved", async () => {
    const { events } = eventsOver([poolOf("shop", "web", [5]), operationOn("Pool", "web", "shop")]);
    const by = (fieldSelector: string) => messagesOf(events, { namespace: "shop", fieldSelector });
    expect(await by("type=Warning")).toEqual(["web: 10.0.0.0:80 is down: L4CON"]);
    expect(await by("type!=Warning")).toEqual(["web: alice updated it"]);
    expect(await by("involvedObject.uid=another")).toEqual([]);
    const failure = await by("spec.port=1").catch((thrown: unknown) => thrown);
    expect(hasCode(failure, "BadRequest")).toBe(true);
  });

  it("lists the newest 5,000, at the revision of what it read", async () => {
    const ages = Array.from({ length: 5_010 }, (_, at) => 50 - at / 1_000);
    const { items, resourceVersion } = await eventsOver([poolOf("shop", "web", ages)]).events.list(
      eventDefinition,
    );
    expect(items).toHaveLength(5_000);
    expect((items[0] as KubeEvent).message).toContain("10.0.0.10:80");
    expect(resourceVersion).toBe("42");
  });

  it("gets one by the name under which it is listed", async () => {
    const { events } = eventsOver([poolOf("shop", "web", [5, 90])]);
    const [listed] = (await events.list(eventDefinition, { namespace: "shop" })).items;
    const reference = (name: string) => ({ definition: eventDefinition, namespace: "shop", name });
    expect(await events.get(reference(listed?.metadata.name ?? ""))).toEqual(listed);
    const failure = await events.get(reference("web.0")).catch((thrown: unknown) => thrown);
    expect(hasCode(failure, "NotFound")).toBe(true);
  });

  it("refuses what it cannot do: watching, another page, another time, writing", async () => {
    const { events } = eventsOver([]);
    const codeOf = async (act: () => unknown): Promise<unknown> => {
      try {
        await act();
        return undefined;
      } catch (failure) {
        return (failure as ParasausError).code;
      }
    };
    const signal = new AbortController().signal;
    expect(await codeOf(() => events.watch(eventDefinition, { signal }))).toBe("MethodNotAllowed");
    expect(await codeOf(() => events.create(eventDefinition, {}, { operator: "alice" }))).toBe(
      "MethodNotAllowed",
    );
    expect(await codeOf(() => events.list(eventDefinition, { continue: "x" }))).toBe("BadRequest");
    expect(await codeOf(() => events.list(eventDefinition, { resourceVersion: "1" }))).toBe("BadRequest");
  });
});
