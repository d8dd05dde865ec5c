export {
  type DesiredMember,
  decideForwarding,
  type ForwardingDecision,
  type ForwardingInput,
} from "./forwarding-decision.ts";
export { type MaglevInput, maglevSizeFor, maglevTable } from "./maglev.ts";
export { murmurHash32 } from "./murmur-hash.ts";
export { weightedSequence } from "./sequence.ts";
export { expectedShares, type ScheduledMember, slotTable } from "./slot-table.ts";
