import { expect } from "vitest";
import { canMakeNamespaces } from "../lab/namespaces.ts";
import { buildProgram } from "../scenario/program.ts";
import { type ConsoleWorld, hasChromium, memberAt, poolOf, startConsoleWorld } from "./console-world.ts";

/** Why the console cannot be tested here; empty when it can. Goes into the names of skipped tests. */
export const missingForConsole =
  canMakeNamespaces() && hasChromium() ? "" : " (skipped: needs root, network namespaces and chromium)";

/** What would run if somebody let it. */
export const HOSTILE = '<img src=x onerror="document.title=`owned`"><script>document.title="owned"</script>';

/** A pool as the API shows it. */
export interface StoredPool {
  readonly spec: { readonly members: readonly object[] };
  readonly status: { readonly members: readonly { readonly verdict: string }[] };
}

/** A console without accounts over 304 pools: some that are well, ill, draining or empty, with a hostile annotation, and 300 more. */
export async function startStockedConsole(): Promise<ConsoleWorld> {
  buildProgram();
  const world = await startConsoleWorld("--no-auth");
  world.setWell("10.77.0.2", false);
  world.apply(
    poolOf("shop", "web", [memberAt(0, { weight: 3 }), memberAt(1), memberAt(2, { state: "drain" })], {
      metadata: { labels: { team: "front" }, annotations: { note: HOSTILE } },
    }),
    poolOf("shop", "dead", [memberAt(1)]),
    poolOf("infra", "dns", [{ ip: "10.77.0.9", port: 53 }], {
      protocol: "UDP",
      healthCheck: { type: "none" },
    }),
    poolOf("infra", "empty", []),
    ...Array.from({ length: 300 }, (_, index) => poolOf("bulk", `p${index}`, [])),
  );
  return world;
}

/** Path of a pool in the namespace `shop`. */
export function poolPath(name: string): string {
  return `/apis/parasaus.io/v1/namespaces/shop/pools/${name}`;
}

/** Waits until all members of a pool in the namespace `shop` have this verdict. */
export async function verdictsStored(world: ConsoleWorld, name: string, verdict: string): Promise<void> {
  const members = () => (world.ask("GET", poolPath(name)) as StoredPool).status.members;
  await expect
    .poll(() => members().every((member) => member.verdict === verdict), { timeout: 10_000 })
    .toBe(true);
}
