import { apportion } from "./apportion.ts";
import { murmurHash32 } from "./murmur-hash.ts";

const TABLE_SIZES = [251, 1021, 4093, 16381, 65537, 131071] as const;
const SLOTS_PER_MEMBER = 100;
const OFFSET_SEED = 0x0ff5e7;
const SKIP_SEED = 0x5417;

/** What a Maglev table is made from. */
export interface MaglevInput {
  /** One unique key per member, `ip:port`; their order does not matter. */
  readonly members: readonly string[];
  /** One per member, 0-256, in member order; 0 takes no slot. */
  readonly weights: readonly number[];
  /** Number of slots: a prime, at least the number of members. */
  readonly tableSize: number;
}

/** Slots of the table for so many members: the smallest prime of ours with at least 100 a member, at most 131,071. */
export function maglevSizeFor(memberCount: number): number {
  return TABLE_SIZES.find((size) => size >= SLOTS_PER_MEMBER * memberCount) ?? 131071;
}

/**
 * Fills a Maglev lookup table. The same members and weights give the same table on every node, in whatever order.
 *
 * A member's permutation of the slots is `offset + turn * skip` with offset = murmur3_32(key, 0x0ff5e7) mod size and
 * skip = murmur3_32(key, 0x5417) mod (size - 1) + 1. Members take turns in key order, a weight w every
 * (greatest weight / w) rounds, until each has its share of the slots (largest remainder, at least one).
 *
 * @returns `tableSize` indexes into `members`; empty when every weight is 0.
 * @see Eisenbud et al., "Maglev", NSDI 2016, section 3.4
 */
export function maglevTable(input: MaglevInput): Uint16Array {
  const { tableSize } = input;
  const players = playersOf(input);
  if (players.length === 0) return new Uint16Array(0);
  const table = new Uint16Array(tableSize);
  const isTaken = new Uint8Array(tableSize);
  let left = tableSize;
  for (let round = 0; left > 0; round += 1) {
    for (const player of players) {
      if (player.left === 0 || round < player.nextRound) continue;
      table[claimSlot(player, isTaken)] = player.index;
      player.left -= 1;
      left -= 1;
      // Half a period early, so that what a member holds at any time is its due, rounded.
      player.turns += 1;
      player.nextRound = (player.turns - 0.5) * player.period;
    }
  }
  return table;
}

/** A member while it takes its turns. */
interface Player {
  readonly index: number;
  readonly skip: number;
  /** Rounds between two turns, at least 1. */
  readonly period: number;
  at: number;
  turns: number;
  nextRound: number;
  left: number;
}

function playersOf({ members, weights, tableSize }: MaglevInput): Player[] {
  const order = [...members.keys()]
    .filter((index) => weights[index])
    .sort((a, b) => ((members[a] ?? "") < (members[b] ?? "") ? -1 : 1));
  if (order.length === 0) return [];
  const orderedWeights = order.map((index) => weights[index] ?? 0);
  const greatest = Math.max(...orderedWeights);
  const quotas = apportion(orderedWeights, tableSize, 1);
  return order.map((index, place) => {
    const key = members[index] ?? "";
    return {
      index,
      skip: (murmurHash32(key, SKIP_SEED) % (tableSize - 1)) + 1,
      period: greatest / (orderedWeights[place] ?? 1),
      at: murmurHash32(key, OFFSET_SEED) % tableSize,
      turns: 0,
      nextRound: 0,
      left: quotas[place] ?? 0,
    };
  });
}

/** The next free slot of the player's permutation. */
function claimSlot(player: Player, isTaken: Uint8Array): number {
  let slot = player.at;
  while (isTaken[slot]) slot = (slot + player.skip) % isTaken.length;
  isTaken[slot] = 1;
  player.at = (slot + player.skip) % isTaken.length;
  return slot;
}
