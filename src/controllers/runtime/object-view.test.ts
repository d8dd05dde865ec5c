import { describe, expect, it } from "vitest";
import { FakeClock, silentLogger } from "../../foundation/index.ts";
import { type Pool, poolDefinition } from "../../model/index.ts";
import type { Resources, WatchEvent } from "../../resources/index.ts";
import { openObjectView } from "./object-view.ts";

function pool(name: string, revision: number, uid = name): Pool {
  const metadata = { name, namespace: "default", uid, resourceVersion: String(revision) };
  return { apiVersion: "parasaus.io/v1", kind: "Pool", metadata, spec: {} } as unknown as Pool;
}

/** Lists what is given, then delivers what the test sends. */
function feed(items: readonly Pool[], revision: number) {
  const sent: WatchEvent[] = [];
  let wake = (): void => undefined;
  const watch = async function* (): AsyncIterable<WatchEvent> {
    for (let at = 0; ; ) {
      const event = sent[at];
      if (event) {
        at += 1;
        yield event;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  };
  const list = async () => ({ items, resourceVersion: String(revision) });
  const send = (type: "ADDED" | "MODIFIED" | "DELETED", object: Pool): void => {
    sent.push({ type, object });
    wake();
  };
  return { resources: { list, watch } as unknown as Resources, send };
}

async function openView(items: readonly Pool[], revision: number) {
  const { resources, send } = feed(items, revision);
  const clock = new FakeClock();
  const changes: string[] = [];
  const { view, synced } = openObjectView<Pool>({
    resources,
    definition: poolDefinition,
    clock,
    logger: silentLogger,
    signal: new AbortController().signal,
    onChange: ({ key, before, after }) =>
      changes.push(
        `${key} ${before?.metadata.resourceVersion ?? "-"}>${after?.metadata.resourceVersion ?? "-"}`,
      ),
  });
  await synced;
  const settle = () => clock.advance(0);
  return { view, send, changes, settle };
}

describe("object view", () => {
  it("tells of the snapshot and of each change, with what was before", async () => {
    const { send, changes, settle, view } = await openView([pool("a", 3)], 5);
    send("ADDED", pool("b", 6));
    send("MODIFIED", pool("a", 7));
    send("DELETED", pool("b", 8));
    await settle();
    expect(changes).toEqual(["default/a ->3", "default/b ->6", "default/a 3>7", "default/b 6>-"]);
    expect([...view.values()].map(({ metadata }) => metadata.name)).toEqual(["a"]);
  });

  it("learns what was just written, and is not told again by the watch", async () => {
    const { view, send, changes, settle } = await openView([pool("a", 3)], 5);
    view.learn(pool("a", 9));
    send("MODIFIED", pool("a", 7));
    send("MODIFIED", pool("a", 9));
    await settle();
    expect(changes).toEqual(["default/a ->3", "default/a 3>9"]);
    expect(view.get("default/a")?.metadata.resourceVersion).toBe("9");
  });

  it("learns a new object, but raises none from the dead", async () => {
    const { view, send, changes, settle } = await openView([], 5);
    view.learn(pool("new", 6));
    expect(view.get("default/new")).toBeDefined();
    send("ADDED", pool("gone", 7));
    send("DELETED", pool("gone", 8));
    await settle();
    view.learn(pool("gone", 7));
    expect(view.get("default/gone")).toBeUndefined();
    expect(changes).toEqual(["default/new ->6", "default/gone ->7", "default/gone 7>-"]);
  });

  it("does not take a late word about a predecessor for one about the object of the same name", async () => {
    const { view, send, settle } = await openView([pool("a", 3, "old")], 5);
    send("DELETED", pool("a", 6, "old"));
    send("ADDED", pool("a", 7, "new"));
    await settle();
    view.learn(pool("a", 8, "old"));
    expect(view.get("default/a")?.metadata.uid).toBe("new");
  });
});
