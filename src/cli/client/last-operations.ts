import { hasCode, systemClock } from "../../foundation/index.ts";
import type { KubeObject, LastOperation, Pool } from "../../model/index.ts";
import type { Connection } from "./connection.ts";

/** What was asked is good for so long, milliseconds: changes that come together cause one question. */
const FRESH_MS = 1_000;

/** Joins into pools who did something last. */
export interface LastOperations {
  joined(objects: readonly KubeObject[]): Promise<readonly KubeObject[]>;
}

interface Answer {
  readonly items: readonly (Partial<LastOperation> & { readonly uid?: string })[];
}

/**
 * Asks the server, which does not store it in the pools. A server that does not know, such as a Kubernetes API server, leaves
 * pools as they are.
 *
 * @param connection Absent: nothing is asked.
 */
export function createLastOperations(
  connection: Pick<Connection, "ask"> | undefined,
  namespace: string | undefined,
): LastOperations {
  const query = namespace === undefined ? "" : `?namespace=${encodeURIComponent(namespace)}`;
  let known: { readonly atMs: number; readonly byUid: ReadonlyMap<string, LastOperation> } | undefined;
  const fresh = async ({ ask }: Pick<Connection, "ask">) => {
    if (known && systemClock.monotonicMs() - known.atMs < FRESH_MS) return known.byUid;
    const byUid = await ask<Answer>(`/api/last-operations${query}`).then(read, nothingWhereUnknown);
    known = { atMs: systemClock.monotonicMs(), byUid };
    return byUid;
  };
  return {
    async joined(objects) {
      if (!connection || !objects.some(({ kind }) => kind === "Pool")) return objects;
      const byUid = await fresh(connection);
      return objects.map((object) => joinOne(object, byUid.get(object.metadata.uid ?? "")));
    },
  };
}

function joinOne(object: KubeObject, lastOperation: LastOperation | undefined): KubeObject {
  if (object.kind !== "Pool" || !lastOperation) return object;
  const pool = object as Pool;
  return { ...pool, status: { ...pool.status, lastOperation } } as Pool;
}

function read({ items }: Answer): ReadonlyMap<string, LastOperation> {
  return new Map(
    items.flatMap(({ uid, operator, time, verb }): [string, LastOperation][] =>
      uid !== undefined && operator !== undefined && time !== undefined && verb !== undefined
        ? [[uid, { operator, time, verb }]]
        : [],
    ),
  );
}

function nothingWhereUnknown(failure: unknown): ReadonlyMap<string, LastOperation> {
  if (hasCode(failure, "NotFound") || hasCode(failure, "Forbidden")) return new Map();
  throw failure;
}
