import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryKernel } from "../dataplane/memory/index.ts";
import { ParasausError } from "../foundation/index.ts";
import type { Pool } from "../model/index.ts";
import {
  agentOn,
  kernelHolds,
  makeMachine,
  poolNumber,
  type TestMachine,
  takeAll,
} from "./agent-core.fixture.ts";

let machine: TestMachine;

beforeEach(async () => {
  machine = await makeMachine();
});
afterEach(() => machine[Symbol.asyncDispose]());

describe("agent: last-known-good snapshot", () => {
  /** An agent that knew a pool, saved it, and lost its kernel in a reboot. */
  async function afterReboot(): Promise<string> {
    const agent = agentOn(machine);
    await agent.start();
    takeAll(agent, [poolNumber(1)], "10");
    await agent.reconcile();
    expect(await agent.saveSnapshot()).toBe(true);
    expect(await agent.saveSnapshot()).toBe(false);
    machine.kernel = new MemoryKernel({ clock: machine.clock });
    return path.join(machine.directory, "last-good.jsonl");
  }

  it("forwards after a reboot without a server", async () => {
    await afterReboot();
    const agent = agentOn(machine);
    await agent.start();
    expect(await kernelHolds(machine)).toEqual(["30001: active active"]);
    expect(agent.status()).toMatchObject({ source: "snapshot", appliedRevision: "10" });
  });

  it("forwards after a reboot as before also where a pool has what few have", async () => {
    const pool = poolNumber(1) as Pool;
    const sessionAffinity = { type: "ClientIP", timeoutSeconds: 60, prefixLength: 24 } as const;
    const agent = agentOn(machine);
    await agent.start();
    takeAll(agent, [{ ...pool, spec: { ...pool.spec, sessionAffinity } } as Pool], "10");
    await agent.reconcile();
    await agent.saveSnapshot();
    const before = [...machine.kernel.pools.values()].map(({ programmed }) => programmed);
    expect(before).toMatchObject([{ affinitySeconds: 60, affinityPrefixLength: 24 }]);
    machine.kernel = new MemoryKernel({ clock: machine.clock });
    await agentOn(machine).start();
    expect([...machine.kernel.pools.values()].map(({ programmed }) => programmed)).toEqual(before);
  });

  it("refuses a server that is behind the snapshot", async () => {
    await afterReboot();
    const agent = agentOn(machine);
    await agent.start();
    expect(() => takeAll(agent, [], "9")).toThrow(ParasausError);
    expect(await kernelHolds(machine)).toHaveLength(1);
  });

  const damages: readonly { readonly what: string; readonly damage: (text: string) => string }[] = [
    { what: "one digit changed", damage: (text) => text.replace("30001", "30002") },
    { what: "cut short", damage: (text) => text.slice(0, -40) },
    { what: "a line missing", damage: (text) => text.split("\n").toSpliced(1, 1).join("\n") },
    { what: "of a newer format", damage: (text) => text.replace('"version":1', '"version":2') },
    { what: "empty", damage: () => "" },
    { what: "something else", damage: () => "{}\n{}\n" },
  ];

  it.each(damages)(
    "refuses a snapshot that is $what, keeps it aside and leaves the kernel alone",
    async ({ damage }) => {
      const file = await afterReboot();
      await writeFile(file, damage(await readFile(file, "utf8")));
      const before = agentOn(machine);
      takeAll(before, [poolNumber(5)], "3");
      await before.reconcile();
      const agent = agentOn(machine);
      await agent.start();
      await agent.maintain();
      expect(await kernelHolds(machine)).toEqual(["30005: active active"]);
      expect(agent.status().source).toBe("none");
      expect(await readFile(`${file}.refused`, "utf8")).not.toBeUndefined();
    },
  );

  it("refuses another node's snapshot", async () => {
    await afterReboot();
    const agent = agentOn(machine, { nodeName: "n2" });
    await agent.start();
    expect(agent.status().source).toBe("none");
    expect(await kernelHolds(machine)).toEqual([]);
  });
});
