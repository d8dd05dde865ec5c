import { parseIpv4 } from "../../foundation/index.ts";
import { murmurHash32, slotTable } from "../../scheduling/index.ts";
import type { FlowTuple, ProgrammedPool } from "../driver.ts";
import { placeKey } from "../order.ts";
import { freshMember, type MemberState } from "./member-state.ts";

const SOURCE_SEED = 0x50;
const TUPLE_SEED = 0x70;

/** A member picked for a new flow, and what decided. */
export interface Pick {
  readonly member: MemberState;
  readonly why: "scheduled" | "affinity";
}

/** One pool of the simulated kernel: what is programmed and what lives longer than one programming of it. */
export class PoolState {
  #programmed: ProgrammedPool;
  /** By place; made when somebody asks: of 35,000 pools in memory, hardly any is ever connected to. */
  #members: Map<string, MemberState> | undefined;
  #table: Uint16Array | undefined;
  #eligible: readonly MemberState[] = [];
  #ticket = 0;
  /** Of clients; absent until the pool has affinity, which few of many pools have. */
  #affinity: Map<string, { readonly key: string; lastMs: number }> | undefined;

  constructor(programmed: ProgrammedPool) {
    this.#programmed = programmed;
  }

  get programmed(): ProgrammedPool {
    return this.#programmed;
  }

  get members(): Iterable<MemberState> {
    return this.#states().values();
  }

  /** Programs the pool anew. Members that stay keep their counts; the ticket goes on. */
  replace(programmed: ProgrammedPool): void {
    this.#programmed = programmed;
    this.#table = undefined;
    if (this.#members) this.#members = statesOf(programmed, this.#members);
  }

  /** @returns undefined when the member is not listed any more */
  member(key: string): MemberState | undefined {
    return this.#states().get(key);
  }

  /** The member for a new flow; undefined when none takes new flows. */
  pick(flow: FlowTuple, nowMs: number): Pick | undefined {
    const table = this.#currentTable();
    const remembered = this.#remembered(flow.clientIp, nowMs);
    const member = remembered ?? this.#schedule(flow, table);
    if (!member) return undefined;
    this.#remember(flow.clientIp, member, nowMs);
    return { member, why: remembered ? "affinity" : "scheduled" };
  }

  #states(): ReadonlyMap<string, MemberState> {
    this.#members ??= statesOf(this.#programmed, new Map());
    return this.#members;
  }

  #currentTable(): Uint16Array {
    if (this.#table) return this.#table;
    this.#eligible = [...this.#states().values()].filter(takesNewFlows);
    const places = this.#eligible.map((member) => member.programmed);
    this.#table = slotTable(this.#programmed.scheduler, places);
    return this.#table;
  }

  #schedule(flow: FlowTuple, table: Uint16Array): MemberState | undefined {
    if (table.length === 0) return undefined;
    switch (this.#programmed.scheduler) {
      case "rr":
      case "wrr":
        this.#ticket += 1;
        return this.#eligible[table[(this.#ticket - 1) % table.length] ?? 0];
      case "lc":
        return leastLoaded(this.#eligible, () => 1);
      case "wlc":
        return leastLoaded(this.#eligible, (member) => member.programmed.weight);
      case "sh":
        return this.#eligible[table[murmurHash32(flow.clientIp, SOURCE_SEED) % table.length] ?? 0];
      case "mh": {
        const tuple = `${flow.clientIp}:${flow.clientPort}-${flow.ip}:${flow.port}`;
        return this.#eligible[table[murmurHash32(tuple, TUPLE_SEED) % table.length] ?? 0];
      }
      default:
        // The driver has refused every other one.
        return undefined;
    }
  }

  /** What affinity takes for one client. */
  #clientOf(clientIp: string): string {
    const { affinityPrefixLength: length } = this.#programmed;
    return length === undefined
      ? clientIp
      : String(Math.floor((parseIpv4(clientIp) ?? 0) / 2 ** (32 - length)));
  }

  #remembered(clientIp: string, nowMs: number): MemberState | undefined {
    const entry = this.#affinity?.get(this.#clientOf(clientIp));
    if (!entry || nowMs - entry.lastMs > this.#programmed.affinitySeconds * 1000) return undefined;
    const member = this.#states().get(entry.key);
    return member && takesNewFlows(member) ? member : undefined;
  }

  #remember(clientIp: string, member: MemberState, nowMs: number): void {
    if (this.#programmed.affinitySeconds === 0) return;
    const { ip, port } = member.programmed;
    this.#affinity ??= new Map();
    this.#affinity.set(this.#clientOf(clientIp), { key: placeKey({ ip, port }), lastMs: nowMs });
  }
}

/** Members that stay keep what was counted. */
function statesOf(
  { members }: ProgrammedPool,
  before: ReadonlyMap<string, MemberState>,
): Map<string, MemberState> {
  const states = new Map<string, MemberState>();
  for (const member of members) {
    const key = placeKey({ ip: member.ip, port: member.port });
    const state = before.get(key) ?? freshMember(member);
    state.programmed = member;
    states.set(key, state);
  }
  return states;
}

function takesNewFlows({ programmed }: MemberState): boolean {
  return programmed.disposition === "active" && programmed.weight > 0;
}

function leastLoaded(
  members: readonly MemberState[],
  weightOf: (member: MemberState) => number,
): MemberState | undefined {
  return members.reduce<MemberState | undefined>((best, member) => {
    if (!best) return member;
    return member.load * weightOf(best) < best.load * weightOf(member) ? member : best;
  }, undefined);
}
