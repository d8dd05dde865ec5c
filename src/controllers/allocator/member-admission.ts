import { type FieldError, formatHostPort, ParasausError } from "../../foundation/index.ts";
import type { Endpoints, KubeObject, Pool, Protocol, ResourceDefinition } from "../../model/index.ts";

/** The part of a write that the rule looks at. */
export interface MemberWrite {
  readonly definition: ResourceDefinition;
  /** The stored object; absent for create. */
  readonly previous?: KubeObject;
  /** What would be stored; absent for delete. */
  readonly next?: KubeObject;
}

/** `namespace/name` of the pool that listens on this address, if any does. */
export type ConnectAddressLookup = (ip: string, port: number, protocol: Protocol) => string | undefined;

interface DescribedAddress {
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
  readonly protocol: Protocol;
  /** Path in the object. */
  readonly field: string;
}

/**
 * Makes a rule that refuses members which are the connect address of a pool: such traffic would come back to the nodes
 * and go round in circles. Members that stood there before may stay, so that an object can still be edited.
 *
 * @returns an admission that throws ParasausError `Invalid` with the fields, naming the pool
 */
export function memberAddressAdmission(lookUp: ConnectAddressLookup): (write: MemberWrite) => void {
  return ({ definition, previous, next }) => {
    const before = new Set(addressesOf(previous).map(textOf));
    const fields = addressesOf(next)
      .filter((address) => !before.has(textOf(address)))
      .flatMap((address) => refusals(address, lookUp(address.ip, address.port, address.protocol)));
    if (fields.length === 0 || !next) return;
    const { kind, group } = definition;
    const { name } = next.metadata;
    const words = fields.map(({ field, message }) => `${field}: ${message}`).join(", ");
    throw new ParasausError("Invalid", `${kind} "${name}" is invalid: ${words}`, {
      fields,
      object: { group, kind, name },
    });
  };
}

function refusals(address: DescribedAddress, holder: string | undefined): FieldError[] {
  if (holder === undefined) return [];
  const message = `Invalid value: "${formatHostPort(address.ip, address.port)}": is the connect address of pool "${holder}", its traffic would go round in circles`;
  return [{ field: address.field, reason: "FieldValueInvalid", message }];
}

function textOf({ ip, port, protocol }: DescribedAddress): string {
  return `${ip}:${port}/${protocol}`;
}

function addressesOf(object: KubeObject | undefined): DescribedAddress[] {
  if (object?.kind === "Pool") return poolAddresses(object as Pool);
  return object?.kind === "Endpoints" ? endpointAddresses(object as Endpoints) : [];
}

function poolAddresses({ spec }: Pool): DescribedAddress[] {
  return spec.members.map(({ ip, port }, at) => ({
    ip,
    port,
    protocol: spec.protocol,
    field: `spec.members[${at}]`,
  }));
}

function endpointAddresses({ subsets = [] }: Endpoints): DescribedAddress[] {
  return subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }, at) =>
    Object.entries({ addresses, notReadyAddresses }).flatMap(([list, listed]) =>
      listed.flatMap(({ ip }, index) =>
        ports.map(({ port, protocol = "TCP" }) => ({
          ip,
          port,
          protocol,
          field: `subsets[${at}].${list}[${index}].ip`,
        })),
      ),
    ),
  );
}
