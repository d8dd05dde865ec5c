import { describe, expect, it } from "vitest";
import { FakeClock } from "../../foundation/index.ts";
import { createRequestHub, type RequestHub } from "./request-hub.ts";

/** Connects a node that answers `probe` with its own name as the reason, or keeps silent. */
function connectNode(hub: RequestHub, name: string, isSilent = false) {
  const node = { lines: [] as string[], isEnded: false };
  const disconnect = hub.connect(name, {
    write(line) {
      node.lines.push(line);
      if (isSilent || line === "\n") return;
      const { id } = JSON.parse(line);
      const value = { isConnected: true, reason: name, latencyMs: 1 };
      hub.receive(name, id, { kind: "answered", value });
    },
    end() {
      node.isEnded = true;
    },
  });
  return { node, disconnect };
}

const probe = { kind: "probe", ip: "10.0.0.1", port: 80 } as const;

describe("request hub", () => {
  it("brings each node's own answer, and names those that did not answer within a second", async () => {
    const clock = new FakeClock();
    const hub = createRequestHub(clock);
    connectNode(hub, "n1");
    connectNode(hub, "n2", true);
    const collected = hub.askAll(probe, ["n1", "n2", "n3"]);
    await clock.advance(1_000);
    const { answers, silentNodes } = await collected;
    expect(answers.map(({ node, value }) => [node, value.reason])).toEqual([["n1", "n1"]]);
    expect(silentNodes).toEqual(["n2", "n3"]);
  });

  it("does not wait for a node whose stream has ended", async () => {
    const hub = createRequestHub(new FakeClock());
    const { disconnect } = connectNode(hub, "n1", true);
    const answer = hub.ask("n1", probe);
    disconnect();
    expect(await answer).toBeUndefined();
    expect(hub.connectedNodes()).toEqual([]);
  });

  it("lets the newest stream of a node win, also when the older one ends later", async () => {
    const hub = createRequestHub(new FakeClock());
    const older = connectNode(hub, "n1", true);
    connectNode(hub, "n1");
    expect(older.node.isEnded).toBe(true);
    older.disconnect();
    expect((await hub.ask("n1", probe))?.kind).toBe("answered");
  });

  it("takes no answer from another node, and none twice", async () => {
    const hub = createRequestHub(new FakeClock());
    const { node } = connectNode(hub, "n1", true);
    const asked = hub.ask("n1", probe);
    const { id } = JSON.parse(node.lines[0] ?? "");
    expect(hub.receive("n2", id, { kind: "failed", message: "forged" })).toBe(false);
    expect(hub.receive("n1", id, { kind: "failed", message: "no" })).toBe(true);
    expect(await asked).toEqual({ kind: "failed", message: "no" });
    expect(hub.receive("n1", id, { kind: "failed", message: "again" })).toBe(false);
  });
});
