import type { KubeObject, ResourceDefinition } from "../../model/index.ts";
import type { WriteOptions } from "../resources.ts";

/** A write that is about to happen. */
export interface AdmissionRequest {
  readonly definition: ResourceDefinition;
  readonly verb: "create" | "update" | "delete";
  /** The stored object; absent for create. */
  readonly previous?: KubeObject;
  /** What would be stored, valid and with defaults; absent for delete. */
  readonly next?: KubeObject;
  readonly options: WriteOptions;
}

/** A rule that needs more than the object itself; throws ParasausError to refuse the write. Runs for dry runs, too. */
export type Admission = (request: AdmissionRequest) => void | Promise<void>;
