/** Who owns an object: when the owner is gone, the object is garbage. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** Kubernetes' object metadata, as far as Parasaus keeps it. */
export interface ObjectMeta {
  readonly name: string;
  /** Empty or absent for cluster-scoped kinds. */
  readonly namespace?: string;
  readonly generateName?: string;
  readonly uid?: string;
  /** Store revision of the last write, as a decimal string. */
  readonly resourceVersion?: string;
  /** Raised by one whenever `spec` changes (for Service and Endpoints: anything but status and metadata), from 1. */
  readonly generation?: number;
  /** RFC 3339, seconds. */
  readonly creationTimestamp?: string;
  /** RFC 3339; present while finalizers hold a deleted object. */
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

/** Any object of the API. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** Kubernetes' condition: one sentence about one aspect of an object. */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  /** CamelCase, for programs. */
  readonly reason: string;
  /** One sentence, for people. */
  readonly message: string;
  /** RFC 3339: when `status` last changed. */
  readonly lastTransitionTime: string;
  /** `metadata.generation` that this was said about. */
  readonly observedGeneration?: number;
}
