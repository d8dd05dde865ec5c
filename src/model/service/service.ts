import type { Condition, KubeObject } from "../object.ts";
import type { Protocol } from "../pool/pool.ts";

/** How a Service is reached. */
export type ServiceType = "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";

/** One port of a Service. */
export interface ServicePort {
  readonly name?: string;
  /** Default TCP. */
  readonly protocol?: Protocol;
  readonly appProtocol?: string;
  /** 1-65535. */
  readonly port: number;
  /** Kept and not read: members come from the Endpoints. Default: `port`. */
  readonly targetPort?: number | string;
  /** 1-65535; from `node-ports`. */
  readonly nodePort?: number;
  /** No field of Kubernetes; files in the field have it here instead of in the spec. */
  readonly type?: ServiceType;
}

/** `v1` Service. Fields that Parasaus does not read are kept all the same. */
export interface Service extends KubeObject {
  readonly apiVersion: "v1";
  readonly kind: "Service";
  readonly spec: {
    /** Default: NodePort when a port has a `nodePort`, else what a port says, else ClusterIP. */
    readonly type?: ServiceType;
    readonly ports?: readonly ServicePort[];
    readonly clusterIP?: string;
    readonly clusterIPs?: readonly string[];
    readonly externalIPs?: readonly string[];
    readonly externalName?: string;
    readonly loadBalancerIP?: string;
    readonly loadBalancerClass?: string;
    readonly sessionAffinity?: "None" | "ClientIP";
    readonly sessionAffinityConfig?: { readonly clientIP?: { readonly timeoutSeconds?: number } };
    readonly selector?: Readonly<Record<string, string>>;
  };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] };
    readonly conditions?: readonly Condition[];
  };
}
