import type { FastifyRequest } from "fastify";
import { findDefinition, type Operation, resourceOf } from "../../model/index.ts";
import { mayDo } from "./permit.ts";

/** What of an operation counts for who may see it. */
export interface SeenOperation extends Pick<Operation["spec"], "operator" | "verb"> {
  /** Every object that it changed, or that was refused. */
  readonly objects: readonly Pick<Operation["spec"]["object"], "kind" | "namespace" | "name">[];
}

/**
 * Whether who asks may see an operation. Who reads an object reads what was done to it; logins and refusals are for who reads
 * the whole record, or one's own.
 */
export function maySeeOperation(
  request: FastifyRequest,
  { operator, verb, objects }: SeenOperation,
): boolean {
  const { identity } = request;
  if (mayDo(request, { kind: "object", verb: "list", resource: "operations.parasaus.io" })) return true;
  if (identity.kind === "account" && operator === identity.name) return true;
  if (["login", "logout", "refuse"].includes(verb)) return false;
  return objects.every(({ kind, namespace, name }) => {
    const definition = findDefinition(kind);
    if (!definition) return false;
    return mayDo(request, {
      ...{ kind: "object", verb: "get", resource: resourceOf(definition), name },
      ...(namespace === undefined ? {} : { namespace }),
    });
  });
}
