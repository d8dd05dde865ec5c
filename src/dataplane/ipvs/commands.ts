import type { ConnectAddress } from "../../model/index.ts";
import { placeKey } from "../order.ts";
import { type Destination, isSamePolicy, type Service } from "./services.ts";

/** One message that writes to the kernel's table. */
export type Command =
  | {
      readonly kind: "add-service" | "edit-service";
      readonly address: ConnectAddress;
      readonly service: Service;
    }
  | { readonly kind: "delete-service"; readonly address: ConnectAddress }
  | {
      readonly kind: "add-destination" | "edit-destination" | "delete-destination";
      readonly address: ConnectAddress;
      readonly destination: Destination;
    };

/**
 * What brings one service from what the kernel holds to what is wanted, in three steps. A step is only taken when the
 * one before it succeeded, so that nobody else's service is touched and nothing is removed before what replaces it is there.
 */
export interface Steps {
  readonly opening: readonly Command[];
  /** What makes members take flows, and how they are picked. */
  readonly widening: readonly Command[];
  /** What ends members' taking flows, and removes. */
  readonly narrowing: readonly Command[];
}

/** The service that a command is about, by `placeKey`. */
export function placeOf({ address }: Command): string {
  return placeKey(address);
}

/**
 * @param held Undefined when the kernel has no such service.
 * @param wanted Undefined when it shall have none.
 * @returns undefined when there is nothing to do
 */
export function stepsFor(held: Service | undefined, wanted: Service | undefined): Steps | undefined {
  if (!wanted) return held && { ...NO_STEPS, narrowing: [{ kind: "delete-service", address: held.address }] };
  const { address } = wanted;
  if (!held) {
    const widening = [...wanted.destinations.values()].map(
      (destination): Command => ({ kind: "add-destination", address, destination }),
    );
    return { ...NO_STEPS, opening: [{ kind: "add-service", address, service: wanted }], widening };
  }
  const { widening, narrowing } = destinationSteps(held, wanted);
  if (!isSamePolicy(held, wanted)) widening.push({ kind: "edit-service", address, service: wanted });
  return widening.length + narrowing.length === 0 ? undefined : { ...NO_STEPS, widening, narrowing };
}

/** What such steps would change, in words; empty when nothing. */
export function differenceIn(steps: Steps | undefined): string {
  if (!steps) return "";
  const [command] = [...steps.opening, ...steps.widening, ...steps.narrowing];
  if (!command) return "";
  if (!("destination" in command)) return "its scheduler or its persistence is another";
  const { ip, port } = command.destination;
  const what = {
    "add-destination": "lacks",
    "edit-destination": "has another weight for",
    "delete-destination": "has",
  };
  return `it ${what[command.kind]} ${placeKey({ ip, port })}`;
}

const NO_STEPS: Steps = { opening: [], widening: [], narrowing: [] };

function destinationSteps(held: Service, wanted: Service) {
  const { address } = wanted;
  const widening: Command[] = [];
  const narrowing: Command[] = [];
  for (const [place, destination] of wanted.destinations) {
    const known = held.destinations.get(place);
    if (!known) widening.push({ kind: "add-destination", address, destination });
    else if (known.weight < destination.weight)
      widening.push({ kind: "edit-destination", address, destination });
    else if (known.weight > destination.weight || known.method !== destination.method)
      narrowing.push({ kind: "edit-destination", address, destination });
  }
  for (const [place, destination] of held.destinations) {
    if (!wanted.destinations.has(place)) narrowing.push({ kind: "delete-destination", address, destination });
  }
  return { widening, narrowing };
}
