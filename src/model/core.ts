import type { Condition, KubeObject } from "./object.ts";

/** One port of a Service. */
export interface ServicePort {
  readonly name?: string;
  readonly protocol?: "TCP" | "UDP";
  /** 1-65535. */
  readonly port: number;
  readonly targetPort?: number | string;
  /** 1-65535; from `node-ports`. */
  readonly nodePort?: number;
}

/** `v1` Service, as far as Parasaus reads it; unknown fields of Kubernetes' schema are kept. */
export interface Service extends KubeObject {
  readonly apiVersion: "v1";
  readonly kind: "Service";
  readonly spec: {
    readonly type?: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
    readonly ports?: readonly ServicePort[];
    readonly clusterIP?: string;
    readonly loadBalancerIP?: string;
    readonly sessionAffinity?: "None" | "ClientIP";
    readonly sessionAffinityConfig?: { readonly clientIP?: { readonly timeoutSeconds?: number } };
    readonly selector?: Readonly<Record<string, string>>;
  };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] };
    readonly conditions?: readonly Condition[];
  };
}

/** One subset of Endpoints: every address serves every port. */
export interface EndpointSubset {
  readonly addresses?: readonly {
    readonly ip: string;
    readonly nodeName?: string;
    readonly hostname?: string;
  }[];
  readonly notReadyAddresses?: readonly {
    readonly ip: string;
    readonly nodeName?: string;
    readonly hostname?: string;
  }[];
  readonly ports?: readonly {
    readonly name?: string;
    readonly port: number;
    readonly protocol?: "TCP" | "UDP";
  }[];
}

/** `v1` Endpoints: the members of the Service of the same name. */
export interface Endpoints extends KubeObject {
  readonly apiVersion: "v1";
  readonly kind: "Endpoints";
  /** Beside `metadata`, as files in the field have it; read like `metadata.annotations`. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subsets?: readonly EndpointSubset[];
}

/** `v1` Namespace. */
export interface Namespace extends KubeObject {
  readonly apiVersion: "v1";
  readonly kind: "Namespace";
  readonly spec?: { readonly finalizers?: readonly string[] };
  readonly status?: { readonly phase?: "Active" | "Terminating" };
}
