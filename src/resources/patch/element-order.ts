import { equalJson, isObject, ownField } from "./json-value.ts";

/** Tells the elements of a list apart: by one key, or scalars by themselves when there is none. */
export type Identity = string | undefined;

/** Whether two elements are the same one. */
export function isSameElement(left: unknown, right: unknown, identity: Identity): boolean {
  return equalJson(identityOf(left, identity), identityOf(right, identity));
}

function identityOf(element: unknown, identity: Identity): unknown {
  return identity !== undefined && isObject(element) ? ownField(element, identity) : element;
}

function indexIn(order: readonly unknown[], element: unknown, identity: Identity): number {
  return order.findIndex((other) => isSameElement(other, element, identity));
}

/**
 * Puts merged elements into the order that Kubernetes gives them: those that the patch names, in the patch's order;
 * the others stay before the neighbour that they stood before.
 */
export function orderElements(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  originalOrder: readonly unknown[],
  identity: Identity,
): unknown[] {
  const places = merged.map((element) => ({
    element,
    patchPlace: indexIn(patchOrder, element, identity),
    originalPlace: indexIn(originalOrder, element, identity),
  }));
  const named = places
    .filter(({ patchPlace }) => patchPlace >= 0)
    .sort((left, right) => left.patchPlace - right.patchPlace);
  const others = places
    .filter(({ patchPlace }) => patchPlace < 0)
    .sort((left, right) => left.originalPlace - right.originalPlace);
  return interleave(named, others).map(({ element }) => element);
}

/** A place in the list as it was; -1 for what is new. */
interface Placed {
  readonly element: unknown;
  readonly originalPlace: number;
}

function interleave(named: readonly Placed[], others: readonly Placed[]): Placed[] {
  const result: Placed[] = [];
  let taken = 0;
  for (const next of named) {
    for (let other = others[taken]; other && stoodBefore(other, next); other = others[taken]) {
      result.push(other);
      taken += 1;
    }
    result.push(next);
  }
  return [...result, ...others.slice(taken)];
}

function stoodBefore(left: Placed, right: Placed): boolean {
  return left.originalPlace >= 0 && right.originalPlace >= 0 && left.originalPlace < right.originalPlace;
}
