import type { FastifyReply, FastifyRequest } from "fastify";
import type { ResourceDefinition } from "../../model/index.ts";
import { compileSelection, type ListOptions } from "../../resources/index.ts";
import { classOf, type ListQueue, type Seat } from "./list-queue.ts";

/** A list of so many objects is no more work than a few gets, and waits for nobody. */
const SMALL_LIST = 50;

/** What a turn is for. */
export interface TurnOptions {
  readonly lists: ListQueue;
  readonly definition: ResourceDefinition;
  readonly options: ListOptions;
}

/**
 * Waits until it is a list's turn. A small one, and one that names its object, needs none.
 *
 * @throws ParasausError `TooManyRequests`, `BadRequest` for a selector that cannot be read
 */
export async function waitForTurn(
  request: FastifyRequest,
  reply: FastifyReply,
  { lists, definition, options }: TurnOptions,
): Promise<Seat> {
  const { limit = Number.POSITIVE_INFINITY } = options;
  const isSmall = limit <= SMALL_LIST || compileSelection(definition, options).name !== undefined;
  if (isSmall) return { [Symbol.dispose]: () => undefined };
  const gone = new AbortController();
  const onClose = () => gone.abort();
  reply.raw.once("close", onClose);
  try {
    return await lists.enter(classOf(request.headers["user-agent"]), gone.signal);
  } finally {
    reply.raw.off("close", onClose);
  }
}
