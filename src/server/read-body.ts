import type { FastifyRequest } from "fastify";
import { parseBody } from "../api/index.ts";
import { ParasausError } from "../foundation/index.ts";

/** The fields of a JSON body. */
export type Body = Readonly<Record<string, unknown>>;

/**
 * Reads a JSON object.
 *
 * @throws ParasausError `BadRequest`; what was read is not quoted, it may be a password
 */
export function readBody({ body }: FastifyRequest): Body {
  try {
    const value: unknown = JSON.parse((body as Buffer | undefined)?.toString("utf8") ?? "");
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Body;
  } catch {
    // No cause: a parser's message quotes what it read.
  }
  throw new ParasausError("BadRequest", "Cannot read the request: the body is no JSON object");
}

/**
 * Reads a JSON object that holds objects of the API, as strictly as these are read by themselves.
 *
 * @throws ParasausError `BadRequest` that says where it is wrong
 */
export function readObjectsBody({ body }: FastifyRequest): Body {
  const { value, duplicates } = parseBody((body as Buffer | undefined) ?? Buffer.alloc(0), "json");
  if (duplicates.length > 0)
    throw new ParasausError("BadRequest", "Cannot read the body", { fields: duplicates });
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Body;
  throw new ParasausError("BadRequest", "Cannot read the request: the body is no JSON object");
}

/** A field that must be there. @throws ParasausError `BadRequest` */
export function textIn(body: Body, name: string): string {
  const value = body[name];
  if (typeof value === "string" && value !== "") return value;
  throw new ParasausError("BadRequest", `Cannot read the request: "${name}" is missing, or is no text`);
}

/** A field that may be absent. @throws ParasausError `BadRequest` */
export function optionalTextIn(body: Body, name: string): string | undefined {
  return body[name] === undefined ? undefined : textIn(body, name);
}

/** A list of texts that may be absent. @throws ParasausError `BadRequest` */
export function optionalTextsIn(body: Body, name: string): readonly string[] | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  throw new ParasausError("BadRequest", `Cannot read the request: "${name}" is no list of texts`);
}
