import { type ClusterWorld, waitFor } from "../../test/lab/cluster.ts";

/** A verdict that a server came to. */
interface VerdictLine {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly pool: string;
  readonly verdict: string;
}

const VERDICT_TIMEOUT_MS = 120_000;

/** Verdicts that the servers wrote into their logs so far; each line is written before the verdict is stored. */
export function readVerdicts(world: ClusterWorld): readonly VerdictLine[] {
  return world
    .servers()
    .flatMap((server) => server.printed().split("\n"))
    .filter((line) => line.includes('"verdict changed"'))
    .map((line) => JSON.parse(line) as { ts: string; pool: string; verdict: string })
    .map(({ ts, pool, verdict }) => ({ atMs: Date.parse(ts), pool, verdict }));
}

/**
 * Waits until all victims have the verdict everywhere. Victims are the first pools, one member of each.
 *
 * @returns of each, milliseconds from the server's verdict until the last agent had it in its kernel
 */
export async function measureVerdicts(
  world: ClusterWorld,
  victimCount: number,
  verdict: "up" | "down",
): Promise<readonly number[]> {
  const names = Array.from({ length: victimCount }, (_, index) => `pool-${index}`);
  const uids = await Promise.all(names.map((name) => uidOf(world, name)));
  const applied = await waitFor(
    `every agent has ${victimCount} members ${verdict}`,
    world.appliedPools,
    (agents) => agents.every((pools) => uids.every((uid) => pools[uid] !== undefined)),
    { timeoutMs: VERDICT_TIMEOUT_MS, pauseMs: 1_000 },
  );
  const atMs = new Map(
    readVerdicts(world)
      .filter((line) => line.verdict === verdict)
      .map((line) => [line.pool, line.atMs]),
  );
  return names.map((name, index) => {
    const lastMs = Math.max(...applied.map((pools) => pools[uids[index] ?? ""] ?? Number.NaN));
    return lastMs - (atMs.get(`default/${name}`) ?? Number.NaN);
  });
}

async function uidOf(world: ClusterWorld, name: string): Promise<string> {
  const url = `${world.servers()[0]?.url}/apis/parasaus.io/v1/namespaces/default/pools/${name}`;
  const { metadata } = (await (await fetch(url)).json()) as { readonly metadata: { readonly uid: string } };
  return metadata.uid;
}
