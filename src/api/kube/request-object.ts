import { type FieldError, ParasausError } from "../../foundation/index.ts";
import { apiVersionOf, type ResourceDefinition } from "../../model/index.ts";
import type { Patch } from "../../resources/index.ts";
import { mediaTypeOf, type ParsedBody, parseBody } from "../http/body.ts";
import { KUBERNETES_PROTOBUF, readProtobufNamespace } from "./protobuf-namespace.ts";

/** What the URL says about the object. */
export interface Addressed {
  readonly definition: ResourceDefinition;
  readonly namespace?: string;
  readonly name?: string;
}

interface RequestBody {
  /** Undefined when the request has none. */
  readonly body: Buffer | undefined;
  readonly contentType: string | undefined;
}

type FieldValidation = "Strict" | "Warn" | "Ignore" | undefined;

/**
 * The object that a create or update carries, with the namespace of the URL filled in.
 *
 * @throws ParasausError `UnsupportedMediaType`, or `BadRequest` when it is no object or is not the one that the URL names
 */
export function readObject(
  request: RequestBody,
  addressed: Addressed,
  validation: FieldValidation,
  onWarning: (message: string) => void,
): Readonly<Record<string, unknown>> {
  const parsed = parseObject(request, addressed.definition);
  reportDuplicates(parsed, validation, onWarning);
  const object = asObject(parsed.value, "the body");
  checkType(object, addressed.definition);
  const metadata = asObject(object["metadata"] ?? {}, "metadata");
  checkPlace(metadata, addressed);
  const { namespace } = addressed;
  return { ...object, metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }) } };
}

function parseObject(request: RequestBody, { group, kind }: ResourceDefinition): ParsedBody {
  const body = bodyOf(request);
  if (group === "" && kind === "Namespace" && mediaTypeOf(request.contentType) === KUBERNETES_PROTOBUF) {
    return { value: readProtobufNamespace(body), duplicates: [] };
  }
  return parseBody(body, formatOf(request.contentType));
}

/**
 * The patch that a request carries.
 *
 * @throws ParasausError `UnsupportedMediaType` for any but the JSON, merge and strategic merge patch, `BadRequest`
 */
export function readPatch(
  request: RequestBody,
  validation: FieldValidation,
  onWarning: (message: string) => void,
): Patch {
  const type = patchTypeOf(mediaTypeOf(request.contentType));
  const parsed = parseBody(bodyOf(request), "json");
  reportDuplicates(parsed, validation, onWarning);
  return { type, body: parsed.value };
}

function patchTypeOf(mediaType: string): Patch["type"] {
  if (mediaType === "application/json-patch+json") return "json";
  if (mediaType === "application/merge-patch+json") return "merge";
  if (mediaType === "application/strategic-merge-patch+json") return "strategic";
  if (/^application\/apply-patch\+/.test(mediaType)) throw refuseServerSideApply();
  throw new ParasausError(
    "UnsupportedMediaType",
    `Cannot patch with "${mediaType}": use application/json-patch+json, application/merge-patch+json or application/strategic-merge-patch+json`,
  );
}

/** People see it behind `kubectl apply` and `kubectl diff`, so it says what to type. */
function refuseServerSideApply(): ParasausError {
  return new ParasausError(
    "UnsupportedMediaType",
    "Cannot apply on the server's side: who owns which field is not kept; run the same kubectl apply or diff without --server-side, and let programs send a merge patch",
  );
}

/** The options of a delete, which stand in its body. */
export function readDeleteOptions(request: RequestBody): Readonly<Record<string, unknown>> {
  if (request.body === undefined || request.body.length === 0) return {};
  return asObject(parseBody(request.body, formatOf(request.contentType)).value ?? {}, "the delete options");
}

function formatOf(contentType: string | undefined): "json" | "yaml" {
  const mediaType = mediaTypeOf(contentType);
  if (mediaType === "application/json" || mediaType === "") return "json";
  if (mediaType === "application/yaml" || mediaType === "application/x-yaml") return "yaml";
  throw new ParasausError(
    "UnsupportedMediaType",
    `Cannot read a body of type "${mediaType}": use application/json or application/yaml`,
  );
}

function bodyOf(request: RequestBody): Buffer {
  if (request.body === undefined || request.body.length === 0) {
    throw new ParasausError("BadRequest", "Cannot read the request: it has no body");
  }
  return request.body;
}

function asObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new ParasausError("BadRequest", `Cannot read the request: ${what} is not an object`);
}

function checkType(object: Readonly<Record<string, unknown>>, definition: ResourceDefinition): void {
  const expected = { apiVersion: apiVersionOf(definition), kind: definition.kind };
  for (const field of ["apiVersion", "kind"] as const) {
    if (object[field] === expected[field]) continue;
    throw new ParasausError(
      "BadRequest",
      `Cannot read the object: its ${field} is ${JSON.stringify(object[field])}, the URL needs "${expected[field]}"`,
    );
  }
}

function checkPlace(metadata: Readonly<Record<string, unknown>>, { namespace, name }: Addressed): void {
  const given = { namespace: metadata["namespace"] ?? "", name: metadata["name"] ?? "" };
  if (given.namespace !== "" && given.namespace !== (namespace ?? "")) {
    throw new ParasausError(
      "BadRequest",
      `Cannot write: the object's namespace ${JSON.stringify(given.namespace)} is not the URL's "${namespace ?? ""}"`,
    );
  }
  if (name !== undefined && given.name !== name) {
    throw new ParasausError(
      "BadRequest",
      `Cannot write: the object's name ${JSON.stringify(given.name)} is not the URL's "${name}"`,
    );
  }
}

function reportDuplicates(
  { duplicates }: ParsedBody,
  validation: FieldValidation,
  onWarning: (message: string) => void,
): void {
  if (duplicates.length === 0 || validation === "Ignore") return;
  if (validation === "Warn") {
    for (const { message } of duplicates) onWarning(message);
    return;
  }
  const fields: readonly FieldError[] = duplicates;
  throw new ParasausError("BadRequest", "Cannot read the body", { fields });
}
