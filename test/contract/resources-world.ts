import { expect } from "vitest";
import { type ErrorCode, hasCode, ParasausError } from "../../src/foundation/index.ts";
import { type KubeObject, type Pool, poolDefinition } from "../../src/model/index.ts";
import type { Resources, WatchEvent, WatchOptions } from "../../src/resources/index.ts";

/** What the suite needs besides the resources. */
export interface ResourcesUnderTest {
  readonly resources: Resources;
  /** Closes what is underneath and opens it again on what it stored. */
  readonly reopen: () => Promise<Resources>;
  /** Forgets the history up to now. */
  readonly forgetHistory: () => Promise<void>;
  /** Lets `ms` pass for bookmarks. */
  readonly pass: (ms: number) => Promise<void>;
}

export const alice = { operator: "alice" };
export const controller = { operator: "system:test" };
export const member = (port: number, more: object = {}) => ({ ip: "10.0.0.1", port, ...more });

export function poolInput(name: string, spec: object = {}, metadata: object = {}) {
  return { metadata: { name, namespace: "shop", ...metadata }, spec: { members: [member(80)], ...spec } };
}

export const web = { definition: poolDefinition, namespace: "shop", name: "web" };

export function withLabels(object: KubeObject, labels: Record<string, string>): KubeObject {
  return { ...object, metadata: { ...object.metadata, labels } };
}

export function withFinalizers(object: KubeObject, finalizers: readonly string[]): KubeObject {
  return { ...object, metadata: { ...object.metadata, finalizers } };
}

/** Reads, adds one, writes back, again from the start on a conflict. @returns how many conflicts there were. */
export async function incrementDrainSeconds(resources: Resources): Promise<number> {
  for (let conflicts = 0; ; conflicts += 1) {
    const pool = (await resources.get(web)) as Pool;
    const next = { ...pool, spec: { ...pool.spec, drainSeconds: pool.spec.drainSeconds + 1 } };
    try {
      await resources.update(web, next, { operator: "system:test" });
      return conflicts;
    } catch (failure) {
      if (!hasCode(failure, "Conflict")) throw failure;
    }
  }
}

export function namesOf({ items }: { readonly items: readonly KubeObject[] }): string[] {
  return items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
}

export async function refused(promise: Promise<unknown>, code: ErrorCode): Promise<ParasausError> {
  const failure = await promise.then(
    () => new Error("it was not refused"),
    (error: unknown) => error,
  );
  if (!(failure instanceof ParasausError)) throw failure;
  expect(failure.code).toBe(code);
  return failure;
}

/** A watch of pools whose events are taken as they come, as text. */
export function follow(resources: Resources, options: WatchOptions) {
  const events = resources.watch(poolDefinition, options)[Symbol.asyncIterator]();
  const seen: Exclude<WatchEvent, { type: "BOOKMARK" }>[] = [];
  const take = async (count: number): Promise<string[]> => {
    const first = seen.length;
    while (seen.length < first + count) {
      const { value, done } = await events.next();
      if (done) throw new Error(`The watch ended after ${seen.length} events`);
      if (value.type !== "BOOKMARK") seen.push(value);
    }
    return seen.slice(first).map(({ type, object }) => {
      return `${type} ${object.metadata.name} ${(object as Pool).spec.scheduler}`;
    });
  };
  return { take, revisions: () => seen.map(({ object }) => object.metadata.resourceVersion) };
}
