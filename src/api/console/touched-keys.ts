import { formatHostPort } from "../../foundation/index.ts";
import type { Endpoints, Operation, Pool } from "../../model/index.ts";

type ObjectName = Pick<Operation["spec"]["object"], "kind" | "namespace" | "name">;
type Change = Pick<Operation["spec"], "object" | "before" | "after">;

/** What an object is found by in the log: `Pool shop/web`. */
export function objectKey({ kind, namespace = "", name }: ObjectName): string {
  return `${kind} ${namespace}/${name}`;
}

/** Keys of the objects that an operation changed, and of the members: `Pool shop/web 10.0.0.1:80`. */
export function touchedKeysOf(spec: Operation["spec"]): readonly string[] {
  return changesIn(spec).flatMap((change) => {
    const key = objectKey(change.object);
    return [key, ...changedMembers(change).map(({ member }) => `${key} ${member}`)];
  });
}

/** Keys of the members that drain after an operation and did not before it. */
export function drainedKeysOf(spec: Operation["spec"]): readonly string[] {
  return changesIn(spec).flatMap((change) =>
    changedMembers(change)
      .filter(({ beganToDrain }) => beganToDrain)
      .map(({ member }) => `${objectKey(change.object)} ${member}`),
  );
}

function changesIn({ verb, object, before, after, also = [] }: Operation["spec"]): readonly Change[] {
  return ["login", "logout", "refuse"].includes(verb) ? [] : [{ object, before, after }, ...also];
}

function changedMembers({ before, after }: Change) {
  const [was, is] = [membersIn(before), membersIn(after)];
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((member) => was.get(member)?.text !== is.get(member)?.text)
    .map((member) => ({
      member,
      beganToDrain: is.get(member)?.isDraining === true && was.get(member)?.isDraining !== true,
    }));
}

/** Members by `ip:port`, each as text, so that two can be compared. */
function membersIn(
  state: unknown,
): ReadonlyMap<string, { readonly text: string; readonly isDraining: boolean }> {
  const { spec, subsets = [] } = (state ?? {}) as Partial<Pool> & Partial<Endpoints>;
  const own = (spec?.members ?? []).map(
    (member) =>
      [
        formatHostPort(member.ip, member.port),
        { text: JSON.stringify(member), isDraining: member.state === "drain" },
      ] as const,
  );
  const named = subsets.flatMap(({ addresses = [], ports = [] }) =>
    addresses.flatMap(({ ip }) =>
      ports.map(({ port }) => [formatHostPort(ip, port), { text: "address", isDraining: false }] as const),
    ),
  );
  return new Map([...own, ...named]);
}
