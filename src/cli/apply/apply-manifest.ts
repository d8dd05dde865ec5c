import { hasCode, ParasausError } from "../../foundation/index.ts";
import { definitionFor, type KubeObject, type ResourceDefinition } from "../../model/index.ts";
import {
  findObject,
  type ObjectReference,
  type Resources,
  type WriteOptions,
} from "../../resources/index.ts";
import { appliedObject } from "../../resources/patch/index.ts";
import { qualifiedName } from "../client/kinds.ts";
import { referenceTo } from "../client/namespaces.ts";
import type { Manifest, ManifestObject } from "./manifest.ts";

const MOST_ATTEMPTS = 5;

/** How to apply. */
export interface ApplyOptions extends WriteOptions {
  /** For objects that name none. */
  readonly namespace?: string;
}

type Outcome = "created" | "configured" | "unchanged";

/**
 * Creates or changes one object as its file says.
 *
 * @returns `pool.parasaus.io/web configured`
 * @throws ParasausError with the file, the line and the fields when the server refuses it
 */
export async function applyManifest(
  resources: Resources,
  manifest: Manifest,
  options: ApplyOptions,
): Promise<string> {
  const { object, where } = manifest;
  const definition = definitionFor(object.apiVersion, object.kind);
  if (!definition) {
    throw new ParasausError(
      "BadRequest",
      `Cannot apply ${where}: no kind "${object.kind}" in ${object.apiVersion}`,
    );
  }
  const { name } = object.metadata;
  const reference = referenceTo(definition, name, object.metadata.namespace ?? options.namespace);
  try {
    const outcome = await createOrChange(resources, reference, object, options);
    return `${qualifiedName(definition, name)} ${outcome}${options.dryRun ? " (dry run)" : ""}`;
  } catch (failure) {
    throw located(failure, manifest, definition);
  }
}

async function createOrChange(
  resources: Resources,
  reference: ObjectReference,
  object: ManifestObject,
  options: ApplyOptions,
): Promise<Outcome> {
  for (let attempt = 1; ; attempt += 1) {
    const live = await findObject(resources, reference);
    const wanted = appliedObject(object, reference.namespace, live);
    try {
      if (!live) {
        await resources.create(reference.definition, wanted, options);
        return "created";
      }
      const written = await resources.update(reference, wanted, options);
      return isSame(live, written) ? "unchanged" : "configured";
    } catch (failure) {
      const isRace = hasCode(failure, "Conflict") || hasCode(failure, "AlreadyExists");
      if (!isRace || attempt === MOST_ATTEMPTS) throw failure;
    }
  }
}

/** A write that changes nothing is not stored; a dry run answers with what it would store. */
function isSame(before: KubeObject, after: KubeObject): boolean {
  if (before.metadata.resourceVersion !== after.metadata.resourceVersion) return false;
  const bare = ({ metadata, ...rest }: KubeObject) =>
    canonical({ ...rest, labels: metadata.labels, annotations: metadata.annotations });
  return bare(before) === bare(after);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** The same refusal, with file, document and lines in front. */
function located(
  failure: unknown,
  { where, locate, object }: Manifest,
  definition: ResourceDefinition,
): unknown {
  if (!(failure instanceof ParasausError)) return failure;
  const name = qualifiedName(definition, object.metadata.name);
  const isAboutFields = failure.fields.length > 0;
  const reason = isAboutFields
    ? `${failure.fields.length} wrong ${failure.fields.length === 1 ? "field" : "fields"}`
    : failure.message;
  return new ParasausError(failure.code, `Cannot apply ${name} of ${where}: ${reason}`, {
    cause: failure,
    fields: failure.fields.map((wrong) => {
      const line = locate(wrong.field);
      return line === undefined ? wrong : { ...wrong, message: `${wrong.message} (${line})` };
    }),
  });
}
