import type { FieldError } from "../foundation/index.ts";
import type { KubeObject } from "./object.ts";
import type { NameFormat } from "./validation/names.ts";

/** JSON Schema (draft 2020-12 subset that OpenAPI 3 shares), with a `description` on every field. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One column of `kubectl get`; the value is read from the object, never made up. */
export interface PrinterColumn {
  readonly name: string;
  /** A `date` cell holds an RFC 3339 time, which whoever prints the table turns into an age. */
  readonly type: "string" | "integer" | "date";
  /** 0 = always shown, 1 = only with `-o wide`. */
  readonly priority: 0 | 1;
  readonly description: string;
  /** The cell of one object. */
  readonly cell: (object: KubeObject) => string | number | null;
}

/** Everything that the generic machinery knows about one kind. */
export interface ResourceDefinition {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: "v1";
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Which names objects may have. Default: subdomain. */
  readonly nameFormat?: NameFormat;
  /** False for kinds that only Parasaus itself writes (Operation). */
  readonly writable: boolean;
  /** False for kinds that are worked out when they are read, so that nothing can be watched. Default true. */
  readonly watchable?: boolean;
  /** Whether `status` is a subresource that ordinary writes leave alone. */
  readonly hasStatus: boolean;
  readonly schema: JsonSchema;
  /** Fields of the spec that a `kubectl get --field-selector` may name, besides metadata.name and metadata.namespace. */
  readonly selectableFields: readonly string[];
  readonly columns: readonly PrinterColumn[];
  /** Fills in defaults; never throws on an object that passed `schema`. Pure. */
  readonly applyDefaults: (object: KubeObject) => KubeObject;
  /** What a schema cannot say; `previous` is the stored object on update. Pure. */
  readonly validate: (object: KubeObject, previous?: KubeObject) => readonly FieldError[];
  /** What is accepted but deserves a word to the client, as sentences without full stop. Pure. */
  readonly warn?: (object: KubeObject) => readonly string[];
}
