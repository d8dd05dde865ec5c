import type { JsonSchema } from "../definition.ts";

/**
 * The words that the schemas of all kinds are written in. What comes out is the part of JSON Schema that OpenAPI 3
 * and `kubectl explain` understand; every word asks for the description first, so that none is forgotten.
 */
type Properties = Readonly<Record<string, JsonSchema>>;

/** A string. */
export function text(description: string, more: JsonSchema = {}): JsonSchema {
  return { type: "string", description, ...more };
}

/** One string of a closed list. */
export function oneOf(values: readonly string[], description: string, more: JsonSchema = {}): JsonSchema {
  return { type: "string", enum: values, description, ...more };
}

/** A whole number in a range, both ends included. */
export function integer(
  description: string,
  minimum: number,
  maximum: number,
  more: JsonSchema = {},
): JsonSchema {
  const format = maximum > 2 ** 31 - 1 ? "int64" : "int32";
  return { type: "integer", format, minimum, maximum, description, ...more };
}

/** Transport protocols that can be balanced. */
export const PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;

/** A port of a transport protocol. */
export function port(description: string, more: JsonSchema = {}): JsonSchema {
  return integer(description, 1, 65_535, more);
}

/** true or false. */
export function flag(description: string, more: JsonSchema = {}): JsonSchema {
  return { type: "boolean", description, ...more };
}

/** `500ms`, `2s`, `1m30s`, or whole seconds as a bare integer. */
export function duration(description: string, more: JsonSchema = {}): JsonSchema {
  return intOrString(`${description} A duration such as 500ms, 2s or 1m30s; a bare integer means seconds.`, {
    "x-parasaus-duration": true,
    ...more,
  });
}

/** An integer or a string, as Kubernetes' targetPort; its OpenAPI documents and kubectl call that a string, too. */
export function intOrString(description: string, more: JsonSchema = {}): JsonSchema {
  return text(description, { format: "int-or-string", "x-kubernetes-int-or-string": true, ...more });
}

/** An IPv4 address in dotted-quad notation; checked by the kind's validation, which knows the address's purpose. */
export function ipv4(description: string, more: JsonSchema = {}): JsonSchema {
  return text(description, { format: "ipv4", ...more });
}

/** An IPv4 or IPv6 address; checked by the kind's validation, which knows the address's purpose. */
export function ip(description: string, more: JsonSchema = {}): JsonSchema {
  return text(description, { format: "ip", ...more });
}

/** An RFC 3339 time. */
export function timestamp(description: string): JsonSchema {
  return text(description, { format: "date-time" });
}

/** A list; without more it is replaced as a whole by patches. */
export function list(items: JsonSchema, description: string, more: JsonSchema = {}): JsonSchema {
  return { type: "array", description, items, ...more };
}

/** An object with any keys and values of one kind. */
export function dictionary(values: JsonSchema, description: string, more: JsonSchema = {}): JsonSchema {
  return { type: "object", description, additionalProperties: values, ...more };
}

/** An object with known keys. */
export function structure(properties: Properties, description: string, more: JsonSchema = {}): JsonSchema {
  return { type: "object", description, properties, ...more };
}

/** An object whose content nobody checks. */
export function freeForm(description: string): JsonSchema {
  return { type: "object", description, "x-kubernetes-preserve-unknown-fields": true };
}

/** Extensions of a list whose entries are told apart by one key, for strategic merge patches and server-side apply. */
export function mergedBy(mergeKey: string, mapKeys: readonly string[] = [mergeKey]): JsonSchema {
  return {
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": mapKeys,
    "x-kubernetes-patch-strategy": "merge",
    "x-kubernetes-patch-merge-key": mergeKey,
  };
}

/** Extension of a list that patches replace as a whole. */
export const ATOMIC: JsonSchema = { "x-kubernetes-list-type": "atomic" };

/** Extensions of a list of scalars without order, which patches add to. */
export const SET: JsonSchema = { "x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge" };
