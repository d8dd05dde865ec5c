import { type FieldError, formatIpv4, type Ipv4Range, parseIpv4Range } from "../../foundation/index.ts";
import type { KubeObject } from "../object.ts";
import { type PortRange, parsePortRange } from "../port-range.ts";
import { unicastErrors } from "../validation/addresses.ts";
import { duplicate, forbidden, invalid } from "../validation/field-errors.ts";
import type { AddressPool } from "./address-pool.ts";

/** Stands for every address of every node. */
const NODE = "node";
/** Below are the source ports that fullnat takes, and the nodes' own services. */
const FIRST_NODE_PORT = 30_000;

/** What the schema of an AddressPool cannot say. */
export function addressPoolErrors(object: KubeObject): FieldError[] {
  const { addresses, ports } = (object as AddressPool).spec;
  return [
    ...addresses.flatMap((text, index) => addressErrors(`spec.addresses[${index}]`, text, addresses)),
    ...overlapErrors("spec.addresses", addresses, parseIpv4Range),
    ...ports.flatMap((text, index) => portErrors(`spec.ports[${index}]`, text, addresses.includes(NODE))),
    ...overlapErrors("spec.ports", ports, parsePortRange),
  ];
}

function addressErrors(field: string, text: string, all: readonly string[]): FieldError[] {
  if (text === NODE) {
    return all.length === 1 ? [] : [forbidden(field, `"${NODE}" cannot stand beside other addresses`)];
  }
  const range = parseIpv4Range(text);
  if (!range) {
    const expectation = "must be a CIDR, a range 10.0.0.1-10.0.0.9, an IPv4 address, or node";
    return [invalid(field, text, expectation)];
  }
  const ends = [
    ...unicastErrors(field, formatIpv4(range.first)),
    ...unicastErrors(field, formatIpv4(range.last)),
  ];
  return ends.slice(0, 1);
}

function portErrors(field: string, text: string, onNodes: boolean): FieldError[] {
  const range = parsePortRange(text);
  if (!range) return [invalid(field, text, "must be a port 1-65535 or a range such as 30000-64999")];
  if (!onNodes || range.first >= FIRST_NODE_PORT) return [];
  const why = `on the nodes' own addresses only ports from ${FIRST_NODE_PORT} on can be handed out`;
  return [forbidden(field, `${why}: those below are the nodes' services and source ports`)];
}

function overlapErrors(
  field: string,
  texts: readonly string[],
  parse: (text: string) => Ipv4Range | PortRange | undefined,
): FieldError[] {
  const ranges = texts
    .map((text, index) => ({ text, index, range: parse(text) }))
    .flatMap(({ text, index, range }) => (range ? [{ text, index, ...range }] : []))
    .sort((a, b) => a.first - b.first || a.last - b.last);
  let last = -1;
  return ranges.flatMap((range) => {
    const overlaps = range.first <= last;
    last = Math.max(last, range.last);
    return overlaps ? [duplicate(`${field}[${range.index}]`, range.text)] : [];
  });
}
