import { type Clock, formatHostPort, type Logger } from "../../foundation/index.ts";
import {
  type Endpoints,
  type KubeObject,
  type LastOperation,
  type Operation,
  operationDefinition,
  type Pool,
} from "../../model/index.ts";
import { followObjects, type Resources } from "../../resources/index.ts";

/** The last operation on a pool and on each of its members, also through its Service and Endpoints. */
export interface LastOperations {
  of(pool: Pool): LastOperation | undefined;
  ofMember(pool: Pool, member: string): LastOperation | undefined;
}

/** Follows the record until the signal aborts. What the record forgets is remembered as long as the process lives. */
export function followLastOperations(
  resources: Resources,
  surroundings: { readonly clock: Clock; readonly logger: Logger; readonly signal: AbortSignal },
): LastOperations {
  const last = new Map<string, LastOperation>();
  const note = (object: KubeObject): void => {
    for (const key of keysOf((object as Operation).spec)) {
      const { operator, time, verb } = (object as Operation).spec;
      const before = last.get(key);
      if (!before || before.time <= time) last.set(key, { operator, time, verb });
    }
  };
  void followObjects(resources, operationDefinition, {
    ...surroundings,
    onSnapshot: (objects) => objects.forEach(note),
    onChange: ({ type, object }) => (type === "DELETED" ? undefined : note(object)),
  });
  const newest = (pool: Pool, suffix: string) =>
    namesOf(pool)
      .flatMap((name) => last.get(`${name}${suffix}`) ?? [])
      .reduce<LastOperation | undefined>((a, b) => (a && a.time >= b.time ? a : b), undefined);
  return {
    of: (pool) => newest(pool, ""),
    ofMember: (pool, member) => newest(pool, ` ${member}`),
  };
}

/** The pool's own name in the record, and those that it comes from. */
function namesOf({ metadata }: Pool): readonly string[] {
  const { namespace = "", name, ownerReferences = [] } = metadata;
  const service = ownerReferences.find(({ kind, controller }) => kind === "Service" && controller);
  const own = `Pool ${namespace}/${name}`;
  return service
    ? [own, `Service ${namespace}/${service.name}`, `Endpoints ${namespace}/${service.name}`]
    : [own];
}

function keysOf({ verb, object, before, after, also = [] }: Operation["spec"]): readonly string[] {
  if (["login", "logout", "refuse"].includes(verb)) return [];
  return [{ object, before, after }, ...also].flatMap((part) => {
    const name = `${part.object.kind} ${part.object.namespace ?? ""}/${part.object.name}`;
    const [was, is] = [membersIn(part.before), membersIn(part.after)];
    const members = [...new Set([...was.keys(), ...is.keys()])].filter(
      (member) => was.get(member) !== is.get(member),
    );
    return [name, ...members.map((member) => `${name} ${member}`)];
  });
}

/** Members by `ip:port`, each as text. */
function membersIn(state: unknown): ReadonlyMap<string, string> {
  const { spec, subsets = [] } = (state ?? {}) as Partial<Pool> & Partial<Endpoints>;
  const own = (spec?.members ?? []).map((member): [string, string] => [
    formatHostPort(member.ip, member.port),
    JSON.stringify(member),
  ]);
  const named = subsets.flatMap(({ addresses = [], ports = [] }) =>
    addresses.flatMap(({ ip }) =>
      ports.map(({ port }): [string, string] => [formatHostPort(ip, port), "address"]),
    ),
  );
  return new Map([...own, ...named]);
}
