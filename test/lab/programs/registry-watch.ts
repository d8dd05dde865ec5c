/**
 * Follows everything that servers write into etcd, past all of them, and remembers when it came. Answers lines of JSON; see
 * `remote.ts`.
 *
 *     tsx registry-watch.ts 10.79.0.11:2379,10.79.0.12:2379,10.79.0.13:2379
 */
import { systemClock } from "../../../src/foundation/index.ts";
import type { Pool } from "../../../src/model/index.ts";
import { holderOf, type StoreEvent } from "../../../src/store/index.ts";
import { answerCalls } from "../answer-calls.ts";
import { openLabStore } from "../open-lab-store.ts";

const ROOT = "/parasaus/";
const POOLS = "/parasaus/registry/parasaus.io/pools/";
const HELD = /^\/parasaus\/(leaders|shards|servers)\//;
const endpoints = (process.argv[2] ?? "").split(",");
const store = await openLabStore(endpoints);

interface Held {
  readonly holder: string;
  readonly sinceMs: number;
}

interface VerdictChange {
  readonly pool: string;
  readonly verdict: string;
  readonly revision: number;
}

const held = new Map<string, Held>();
/** Pool to connect address, and connect address to pools. */
const addresses = new Map<string, string>();
const holders = new Map<string, Set<string>>();
const verdicts = new Map<string, string>();
const changes: VerdictChange[] = [];
const doubles: string[] = [];
let seenRevision = 0;
let grantedCount = 0;

function apply(event: StoreEvent, revision: number): void {
  const key = event.kind === "put" ? event.entry.key : event.key;
  const value = event.kind === "put" ? event.entry.value : undefined;
  if (HELD.test(key)) {
    if (value === undefined) held.delete(key);
    else held.set(key, { holder: holderOf(value) ?? "", sinceMs: Date.now() });
  }
  if (key.startsWith(POOLS)) applyPool(key.slice(POOLS.length), value, revision);
}

function applyPool(name: string, json: string | undefined, revision: number): void {
  const status = json === undefined ? undefined : (JSON.parse(json) as Pool).status;
  const address = status?.connectAddresses?.[0];
  moveTo(name, address && `${address.ip}:${address.port}`, revision);
  const verdict = (status?.members ?? []).map((member) => member.verdict).join(" ");
  if (verdict !== verdicts.get(name)) changes.push({ pool: name, verdict, revision });
  verdicts.set(name, verdict);
}

function moveTo(name: string, address: string | undefined, revision: number): void {
  const before = addresses.get(name);
  if (before === address) return;
  if (before !== undefined) holders.get(before)?.delete(name);
  addresses.delete(name);
  if (address === undefined) return;
  grantedCount += 1;
  addresses.set(name, address);
  const pools = holders.get(address) ?? new Set();
  holders.set(address, pools.add(name));
  if (pools.size > 1) doubles.push(`${address} of ${[...pools].join(" and ")} at revision ${revision}`);
}

async function follow(): Promise<void> {
  const { entries, revision } = await store.range(ROOT);
  for (const entry of entries) apply({ kind: "put", entry } as StoreEvent, revision);
  seenRevision = revision;
  for await (const message of store.watch(ROOT, revision + 1, new AbortController().signal)) {
    if (message.kind === "events") for (const event of message.events) apply(event, message.revision);
    seenRevision = message.revision;
  }
}

/** Until everything that is stored by now was seen. */
async function catchUp(): Promise<number> {
  const revision = await store.revision();
  while (seenRevision < revision) await systemClock.sleep(5);
  return seenRevision;
}

void follow();
answerCalls({
  revision: catchUp,
  /** Who holds what, by key. */
  async held() {
    await catchUp();
    return Object.fromEntries(held);
  },
  /** Connect addresses: how many were ever given, by whom they are held, and which were held by two pools at any time. */
  async addresses() {
    await catchUp();
    return { grantedCount, held: Object.fromEntries(addresses), doubles };
  },
  async verdictsSince(revision: number) {
    await catchUp();
    return changes.filter((change) => change.revision > revision);
  },
});
