import type { FastifyRequest } from "fastify";
import { ParasausError } from "../../foundation/index.ts";
import type { ListOptions, Selection, WriteOptions } from "../../resources/index.ts";
import { credentialOf, writerOf } from "../access/identity.ts";

const OPERATOR = /^[\p{L}\p{M}\p{N}_.:@/ +-]{1,128}$/u;

/** The query parameters of a request; of one that is given twice, the last. */
export function queryOf(request: FastifyRequest): ReadonlyMap<string, string> {
  const query = request.query as Readonly<Record<string, string | readonly string[]>>;
  return new Map(Object.entries(query).map(([name, value]) => [name, [value].flat().at(-1) ?? ""]));
}

/** Namespace and selectors of a list, watch or deletecollection. */
export function selectionOf(query: ReadonlyMap<string, string>, namespace: string | undefined): Selection {
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...given("labelSelector", query),
    ...given("fieldSelector", query),
  };
}

/**
 * Everything that a list asks for.
 *
 * @throws ParasausError `BadRequest` for a limit that is no whole number, or an unknown resourceVersionMatch
 */
export function listOptionsOf(
  query: ReadonlyMap<string, string>,
  namespace: string | undefined,
): ListOptions {
  const limit = wholeNumber(query, "limit") ?? 0;
  return {
    ...selectionOf(query, namespace),
    ...(limit === 0 ? {} : { limit }),
    ...given("continue", query),
    ...exactRevision(query),
  };
}

/** `resourceVersion` of a list means "at least this new" unless Exact is asked for: the newest is always right then. */
function exactRevision(query: ReadonlyMap<string, string>): { resourceVersion?: string } {
  const match = query.get("resourceVersionMatch");
  if (match !== undefined && match !== "Exact" && match !== "NotOlderThan") {
    throw new ParasausError(
      "BadRequest",
      `Cannot list: resourceVersionMatch "${match}" is not Exact or NotOlderThan`,
    );
  }
  return match === "Exact" ? given("resourceVersion", query) : {};
}

/** A parameter that must be a whole number of at least 0. @throws ParasausError `BadRequest` */
export function wholeNumber(query: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = query.get(name);
  if (text === undefined || text === "") return undefined;
  if (!/^\d{1,9}$/.test(text)) {
    throw new ParasausError("BadRequest", `Cannot read the query: ${name} "${text}" is no whole number`);
  }
  return Number(text);
}

/** Whether a boolean parameter is set, in any way that Go's clients write it. */
export function isSet(query: ReadonlyMap<string, string>, name: string): boolean {
  const value = query.get(name);
  return value !== undefined && !["", "false", "0"].includes(value);
}

/**
 * Who writes and how.
 *
 * @throws ParasausError `BadRequest` for an unknown dryRun or fieldValidation
 */
export function writeOptionsOf(
  request: FastifyRequest,
  onWarning: (message: string) => void,
): WriteOptions & { readonly onWarning: (message: string) => void } {
  const query = queryOf(request);
  const reason = headerOf(request, "x-parasaus-reason");
  const credential = credentialOf(request.identity);
  return {
    operator: operatorOf(request),
    source: request.ip,
    ...(credential === undefined ? {} : { credential }),
    ...(reason === undefined ? {} : { reason }),
    ...(isDryRun(query.get("dryRun")) ? { dryRun: true } : {}),
    ...fieldValidationOf(query.get("fieldValidation")),
    onWarning,
  };
}

/** @throws ParasausError `BadRequest` for anything but `All` */
export function isDryRun(value: string | undefined): boolean {
  if (value === undefined || value === "") return false;
  if (value === "All") return true;
  throw new ParasausError("BadRequest", `Cannot write: dryRun "${value}" is not All`);
}

function fieldValidationOf(value: string | undefined): Pick<WriteOptions, "fieldValidation"> {
  if (value === undefined || value === "") return {};
  if (value === "Strict" || value === "Warn" || value === "Ignore") return { fieldValidation: value };
  throw new ParasausError(
    "BadRequest",
    `Cannot write: fieldValidation "${value}" is not Strict, Warn or Ignore`,
  );
}

/**
 * Who asks, for the record. The owner of the server says who he is and is believed; kubectl says it with `--as`, or `as:`
 * in the kubeconfig's user. An account is who it is, and a node who its certificate says.
 *
 * @throws ParasausError `Forbidden` when an account wants to be somebody else, `BadRequest` for a name that cannot be
 */
export function operatorOf(request: FastifyRequest): string {
  const writer = writerOf(request.identity);
  const impersonated = headerOf(request, "impersonate-user");
  if (writer !== undefined) {
    if (impersonated === undefined || impersonated === writer || request.identity.kind === "node")
      return writer;
    throw new ParasausError("Forbidden", `Cannot act as "${impersonated}": "${writer}" is nobody else`);
  }
  const name = headerOf(request, "x-parasaus-operator") ?? impersonated;
  if (name === undefined) return "anonymous";
  if (!OPERATOR.test(name)) {
    throw new ParasausError(
      "BadRequest",
      `Cannot take "${name}" as operator: it has characters that names do not have`,
    );
  }
  return name;
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = [request.headers[name]].flat()[0];
  return value === undefined || value === "" ? undefined : utf8In(value);
}

/** Node reads each byte of a header as a character; what is UTF-8 was meant as that. */
function utf8In(value: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(value, "latin1"));
  } catch {
    return value;
  }
}

function given<Name extends string>(
  name: Name,
  query: ReadonlyMap<string, string>,
): { [key in Name]?: string } {
  const value = query.get(name);
  return value === undefined || value === "" ? {} : ({ [name]: value } as { [key in Name]?: string });
}
