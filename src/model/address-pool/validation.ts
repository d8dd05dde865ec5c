import {
  type FieldError,
  formatIpv4,
  formatIpv6Number,
  type Ipv4Range,
  type Ipv6Range,
  parseIpv4Range,
  parseIpv6Range,
} from "../../foundation/index.ts";
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
    ...overlapErrors("spec.addresses", addresses, parseIpv6Range),
    ...ports.flatMap((text, index) => portErrors(`spec.ports[${index}]`, text, addresses.includes(NODE))),
    ...overlapErrors("spec.ports", ports, parsePortRange),
  ];
}

function addressErrors(field: string, text: string, all: readonly string[]): FieldError[] {
  if (text === NODE) {
    return all.length === 1 ? [] : [forbidden(field, `"${NODE}" cannot stand beside other addresses`)];
  }
  const ends = endsOf(text);
  if (!ends) {
    const expectation = "must be a CIDR, a range 10.0.0.1-10.0.0.9, an IP address, or node";
    return [invalid(field, text, expectation)];
  }
  return ends.flatMap((ip) => unicastErrors(field, ip)).slice(0, 1);
}

function endsOf(text: string): readonly string[] | undefined {
  const ipv4 = parseIpv4Range(text);
  if (ipv4) return [formatIpv4(ipv4.first), formatIpv4(ipv4.last)];
  const ipv6 = parseIpv6Range(text);
  return ipv6 && [formatIpv6Number(ipv6.first), formatIpv6Number(ipv6.last)];
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
  parse: (text: string) => Ipv4Range | Ipv6Range | PortRange | undefined,
): FieldError[] {
  const ranges = texts
    .map((text, index) => ({ text, index, range: parse(text) }))
    .flatMap(({ text, index, range }) => (range ? [{ text, index, ...range }] : []))
    .sort((a, b) => Number(a.first > b.first) - Number(a.first < b.first));
  let last: number | bigint = -1;
  return ranges.flatMap((range) => {
    const overlaps = range.first <= last;
    if (range.last > last) last = range.last;
    return overlaps ? [duplicate(`${field}[${range.index}]`, range.text)] : [];
  });
}
