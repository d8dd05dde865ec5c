import type { KubeObject } from "../object.ts";
import type { Protocol } from "../pool/pool.ts";

/** One address of a subset. */
export interface EndpointAddress {
  /** IPv4 address, dotted quad, or IPv6 address in canonical text. */
  readonly ip: string;
  readonly nodeName?: string;
  readonly hostname?: string;
}

/** One port of a subset. */
export interface EndpointPort {
  readonly name?: string;
  /** 1-65535. */
  readonly port: number;
  /** Absent: TCP. */
  readonly protocol?: Protocol;
}

/** One subset of Endpoints: every address serves every port. */
export interface EndpointSubset {
  readonly addresses?: readonly EndpointAddress[];
  readonly notReadyAddresses?: readonly EndpointAddress[];
  readonly ports?: readonly EndpointPort[];
}

/** `v1` Endpoints: the members of the Service of the same name. */
export interface Endpoints extends KubeObject {
  readonly apiVersion: "v1";
  readonly kind: "Endpoints";
  /** Beside `metadata`, as files in the field have it; read like `metadata.annotations`. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subsets?: readonly EndpointSubset[];
}
