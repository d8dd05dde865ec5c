import { csrfToken, noteLoggedOut } from "./session.ts";
import { readSetting } from "./settings.ts";

/** One wrong field, as the server names it: `spec.members[1].port`. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

/** The server refused, or could not be reached. */
export class ApiFailure extends Error {
  /** HTTP status code; 0: the server was not reached. */
  readonly code: number;
  readonly fields: readonly FieldProblem[];

  constructor(code: number, message: string, fields: readonly FieldProblem[] = []) {
    super(message);
    this.name = "ApiFailure";
    this.code = code;
    this.fields = fields;
  }
}

interface Status {
  readonly kind: "Status";
  readonly message?: string;
  readonly code?: number;
  readonly details?: { readonly causes?: readonly Partial<FieldProblem>[] };
}

/** A request besides its path. */
export interface Ask {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  readonly contentType?: string;
  /** Why, for the record of operations. */
  readonly reason?: string;
  /** On condition that what is there is this, by its ETag; `none`: that nothing is. */
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

/** An object as it was read, and the ETag by which a write says so. */
export interface ReadObject<Kind> {
  readonly object: Kind;
  readonly tag: string;
}

/**
 * Asks the server for JSON.
 *
 * @throws ApiFailure
 */
export async function ask<Answer>(url: string, request: Ask = {}): Promise<Answer> {
  const response = await send(url, request);
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw failureOf(response.status, body);
  return body as Answer;
}

/** Reads one object. @throws ApiFailure */
export async function read<Kind>(url: string): Promise<ReadObject<Kind>> {
  const response = await send(url, {});
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw failureOf(response.status, body);
  return { object: body as Kind, tag: response.headers.get("etag") ?? "*" };
}

/** Sends a request; refusals are for the caller. @throws ApiFailure when the server is not reached */
export async function send(url: string, request: Ask): Promise<Response> {
  const { method = "GET", body, signal } = request;
  const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
  const init: RequestInit = { method, headers: headersOf(request) };
  if (text !== undefined) init.body = text;
  if (signal) init.signal = signal;
  try {
    const response = await fetch(url, init);
    if (response.status === 401 && !url.startsWith("/api/login")) noteLoggedOut();
    return response;
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiFailure(0, cause instanceof Error ? cause.message : String(cause));
  }
}

function headersOf({
  method = "GET",
  body,
  contentType = "application/json",
  reason,
  ifMatch,
}: Ask): Record<string, string> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = contentType;
  if (reason) headers["x-parasaus-reason"] = inHeader(reason);
  if (ifMatch === "none") headers["if-none-match"] = "*";
  else if (ifMatch !== undefined) headers["if-match"] = ifMatch;
  if (method === "GET") return headers;
  headers["x-parasaus-operator"] = inHeader(readSetting("operator"));
  const token = csrfToken();
  if (token !== undefined) headers["x-csrf-token"] = token;
  return headers;
}

/** Headers carry bytes: the text's UTF-8 ones, which the server puts together again. */
function inHeader(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

/** Whether a value is the server's word that something went wrong. */
export function isStatus(value: unknown): value is Status {
  return typeof value === "object" && value !== null && (value as Partial<Status>).kind === "Status";
}

/** A refusal, from its body. */
export function failureOf(code: number, body: unknown): ApiFailure {
  const status: Partial<Status> = isStatus(body) ? body : {};
  const causes = status.details?.causes ?? [];
  const fields = causes.map(({ field = "", message = "" }) => ({ field, message }));
  return new ApiFailure(status.code ?? code, status.message ?? `HTTP ${code}`, fields);
}

/** Path of the pools of a namespace, or of one of them. */
export function poolPath(namespace: string, name?: string): string {
  const root = `/apis/parasaus.io/v1/namespaces/${encodeURIComponent(namespace)}/pools`;
  return name === undefined ? root : `${root}/${encodeURIComponent(name)}`;
}

/** Path of an object for a write that no verdict breaks; a pool goes through its Service where it has one. */
export function objectPath(kind: string, namespace = "", name = ""): string {
  const query = namespace === "" ? "" : `?namespace=${encodeURIComponent(namespace)}`;
  return `/api/objects/${encodeURIComponent(kind)}/${encodeURIComponent(name)}${query}`;
}

/** The one object of a kind in a namespace. */
export function corePath(kind: "services" | "endpoints", namespace: string, name?: string): string {
  const root = `/api/v1/namespaces/${encodeURIComponent(namespace)}/${kind}`;
  return name === undefined ? root : `${root}/${encodeURIComponent(name)}`;
}

/** Deletes an object, unless it is another one by now. */
export function remove(url: string, uid: string, reason: string): Promise<unknown> {
  const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid } };
  return ask(url, { method: "DELETE", body, reason });
}
