import { backoffMs, type Clock, hasCode, type Logger } from "../foundation/index.ts";
import type { KubeObject, ResourceDefinition } from "../model/index.ts";
import { EpochBegun, FollowedView, type KnownObject, knownObject, WatchRegression } from "./followed-view.ts";
import type { Resources, Selection } from "./resources.ts";
import { FIRST_EPOCH, StaleAnswer, type StorePosition } from "./store-position.ts";

const PAGE_SIZE = 500;
// 254 followers that lose their server at once come back over half a second: about 50 in any 100 ms.
// A server that was away for a while finds all of them again within 5 s; 254 that ask in vain are 50 connections a second.
const RETRY = { baseMs: 1_000, maxMs: 5_000 };

/** One object that came, changed or went, after the snapshot. */
export interface ObjectChange {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  /** For `DELETED`, the object as it was last. */
  readonly object: KubeObject;
}

/** How to follow the objects of a kind. Callbacks run one after another, each awaited; one that throws ends the following. */
export interface FollowOptions<Kept = KubeObject> extends Selection {
  /** Everything there is at `revision`. Called first, and again whenever the changes since could not be had. */
  readonly onSnapshot: (objects: readonly Kept[], revision: string, epoch: number) => void | Promise<void>;
  /** What to keep of each listed object until the whole list has come. Absent: the object, for all of them at once. */
  readonly project?: (object: KubeObject) => Kept;
  /** One change after the last snapshot. The revision is the object's own. */
  readonly onChange: (change: ObjectChange) => void | Promise<void>;
  /** Everything up to `revision` was delivered, even if nothing changed. */
  readonly onProgress?: (revision: string) => void;
  /** What the follower had before; nothing older is taken over. Absent: nothing. */
  readonly notBefore?: StorePosition;
  /** Told of each answer that was refused because it is older than what was delivered before. */
  readonly onStale?: (answer: StaleAnswer) => void | Promise<void>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Source of randomness in [0, 1) for the back-off. Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Keeps a follower's view of a kind equal to the store: list in pages, watch, resume after the last revision that was
 * delivered whole, list again after 410, after a restore of the store, or when the watch contradicts itself (a revision
 * that goes back, an object delivered twice, a change of an object that never came). Never goes back in (epoch, revision):
 * an answer from a server that is behind is refused and asked for again. Retries for ever with jittered back-off; returns
 * when the signal aborts.
 */
export async function followObjects<Kept = KubeObject>(
  resources: Resources,
  definition: ResourceDefinition,
  options: FollowOptions<Kept>,
): Promise<void> {
  const view = new FollowedView(options.notBefore);
  for (let attempt = 0; !options.signal.aborted; attempt += 1) {
    try {
      await followOnce(resources, definition, options, view, () => {
        attempt = 0;
      });
    } catch (failure) {
      if (failure instanceof CallbackFailure) throw failure.cause;
      if (options.signal.aborted) return;
      await noteFailure(failure, view, definition, options);
    }
    const waitMs = backoffMs(attempt, { ...RETRY, random: options.random ?? Math.random });
    await options.clock.sleep(waitMs, options.signal).catch(() => undefined);
  }
}

async function followOnce<Kept>(
  resources: Resources,
  definition: ResourceDefinition,
  options: FollowOptions<Kept>,
  view: FollowedView,
  onDelivery: () => void,
): Promise<void> {
  if (view.needsSnapshot) {
    const { known, kept, revision, epoch } = await listAll(resources, definition, options);
    view.restart(known, { epoch, revision });
    onDelivery();
    await callBack(() => options.onSnapshot(kept, revision, epoch));
  }
  await watchOn(resources, definition, options, view, onDelivery);
}

async function watchOn<Kept>(
  resources: Resources,
  definition: ResourceDefinition,
  options: FollowOptions<Kept>,
  view: FollowedView,
  onDelivery: () => void,
): Promise<void> {
  let opened: number | undefined;
  const watch = resources.watch(definition, {
    ...selectionOf(options),
    resourceVersion: view.resume(),
    bookmarks: true,
    onEpoch: (epoch) => {
      opened = epoch;
    },
    signal: options.signal,
  });
  for await (const event of watch) {
    if (options.signal.aborted) return;
    if (opened !== undefined) view.enter(opened);
    const isNews = view.admit(event);
    onDelivery();
    if (event.type === "BOOKMARK") await callBack(() => options.onProgress?.(event.resourceVersion));
    else if (isNews) await callBack(() => options.onChange({ type: event.type, object: event.object }));
  }
}

async function listAll<Kept>(
  resources: Resources,
  definition: ResourceDefinition,
  options: FollowOptions<Kept>,
) {
  const project = options.project ?? ((object: KubeObject) => object as Kept);
  const known: KnownObject[] = [];
  const kept: Kept[] = [];
  let next: string | undefined;
  let first: { readonly revision: string; readonly epoch: number } | undefined;
  for (;;) {
    const page = await resources.list(definition, {
      ...selectionOf(options),
      limit: PAGE_SIZE,
      ...(next === undefined ? {} : { continue: next }),
    });
    const { resourceVersion: revision, epoch = FIRST_EPOCH } = page;
    first ??= { revision, epoch };
    if (first.revision !== revision || first.epoch !== epoch) {
      throw new WatchRegression(
        `Cannot put pages at revisions ${first.revision} and ${revision} together to one list`,
      );
    }
    for (const object of page.items) {
      known.push(knownObject(object));
      kept.push(project(object));
    }
    next = page.continue;
    if (next === undefined || next === "") return { known, kept, ...first };
  }
}

function selectionOf(options: Selection): Selection {
  return {
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
    ...(options.fieldSelector === undefined ? {} : { fieldSelector: options.fieldSelector }),
  };
}

/** Tells a failure of the follower's own callback, which must not be retried, from one of the stream. */
class CallbackFailure extends Error {}

async function callBack(call: () => void | Promise<void>): Promise<void> {
  try {
    await call();
  } catch (cause) {
    throw new CallbackFailure("a callback of followObjects failed", { cause });
  }
}

async function noteFailure(
  failure: unknown,
  view: FollowedView,
  definition: ResourceDefinition,
  { logger, onStale }: Pick<FollowOptions, "logger" | "onStale">,
): Promise<void> {
  const facts = { resource: definition.plural, ...view.position, error: failure };
  if (hasCode(failure, "Expired")) {
    view.discard();
    logger.info("watch is behind the store's history, listing again", facts);
  } else if (failure instanceof EpochBegun) {
    view.discard();
    logger.warn("the store was restored, listing again", facts);
  } else if (failure instanceof StaleAnswer) {
    logger.warn("server is behind what was delivered, refusing its answer", facts);
    await callBack(() => onStale?.(failure));
  } else if (failure instanceof WatchRegression) {
    view.discard();
    logger.warn("watch contradicts itself, listing again", facts);
  } else {
    logger.warn("watch broke off, retrying", facts);
  }
}
