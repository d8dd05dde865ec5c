import { formatHostPort, hasCode, ParasausError } from "../../foundation/index.ts";
import { type Pool, type PoolMember, parseDurationMs } from "../../model/index.ts";
import type { ObjectReference, Resources, WriteOptions } from "../../resources/index.ts";
import { connect } from "../client/connection.ts";
import { qualifiedName, readTargets } from "../client/kinds.ts";
import { NAMESPACE_OPTION, namespaceOf, referenceTo } from "../client/namespaces.ts";
import { formatSeconds } from "../output/age.ts";
import { EXIT } from "../output/errors.ts";
import { type Invocation, isSet, listOption, textOption, type Verb } from "../verb.ts";

const MOST_ATTEMPTS = 5;

/** `parasaus drain`. */
export const drain: Verb = {
  arguments: [{ syntax: "<pool/name>", description: "the pool" }],
  options: [
    { flags: "-m, --member <ip:port>", description: "the member", repeatable: true },
    {
      flags: "--for <duration>",
      description: "how long its connections may go on: 90s, 5m (default: the pool's)",
    },
    { flags: "--undo", description: "let it take new connections again" },
    { flags: "--reason <text>", description: "why, for the record of operations" },
    NAMESPACE_OPTION,
  ],
  programs: ["client"],
  examples: [
    [
      "No new connections for a member; those it has may go on for five minutes",
      "parasaus drain pool/web -n shop --member 10.0.0.7:80 --for 5m",
    ],
    ["Back to work", "parasaus drain pool/web -n shop --member 10.0.0.7:80 --undo"],
  ],
  run: drainMembers,
};

async function drainMembers(invocation: Invocation): Promise<number> {
  const members = listOption(invocation, "member");
  if (members.length === 0)
    throw new ParasausError("Usage", "Cannot drain: name the members with --member IP:PORT");
  const seconds = drainTime(textOption(invocation, "for"));
  const [target, ...more] = readTargets(invocation.arguments);
  if (target?.name === undefined || target.definition.kind !== "Pool" || more.length > 0) {
    throw new ParasausError("Usage", `Cannot drain "${invocation.arguments.join(" ")}": expected pool/NAME`);
  }
  const reference = referenceTo(target.definition, target.name, namespaceOf(invocation));
  const { resources, operator } = connect(invocation);
  const reason = textOption(invocation, "reason");
  const isUndo = isSet(invocation, "undo");
  const change = (member: PoolMember) => (isUndo ? readied(member) : drained(member, seconds));
  const options = { operator, ...(reason === undefined ? {} : { reason }) };
  const pool = await changeMembers(resources, reference, { members, change, options });
  for (const member of members) {
    const time = formatSeconds(seconds ?? pool.spec.drainSeconds);
    const outcome = isUndo ? "ready" : `draining: its connections may go on for ${time}`;
    invocation.terminal.stdout.write(
      `${qualifiedName(target.definition, target.name)} member ${member} ${outcome}\n`,
    );
  }
  return EXIT.ok;
}

function drainTime(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const ms = parseDurationMs(given);
  if (ms === undefined)
    throw new ParasausError("Usage", `Cannot drain for "${given}": expected a time such as 90s or 5m`);
  return Math.ceil(ms / 1000);
}

function drained(member: PoolMember, seconds: number | undefined): PoolMember {
  return { ...readied(member), state: "drain", ...(seconds === undefined ? {} : { drainSeconds: seconds }) };
}

/** Without a state a member is ready: the object is again as its file has it. */
function readied({ drainSeconds: _, state: __, ...member }: PoolMember): PoolMember {
  return member;
}

interface MemberChange {
  /** `ip:port` of each. */
  readonly members: readonly string[];
  readonly change: (member: PoolMember) => PoolMember;
  readonly options: WriteOptions;
}

async function changeMembers(
  resources: Resources,
  reference: ObjectReference,
  { members, change, options }: MemberChange,
): Promise<Pool> {
  for (let attempt = 1; ; attempt += 1) {
    const pool = (await resources.get(reference)) as Pool;
    requireMembers(pool, members);
    const changed = pool.spec.members.map((member) =>
      members.includes(nameOf(member)) ? change(member) : member,
    );
    try {
      const wanted = { ...pool, spec: { ...pool.spec, members: changed } };
      return (await resources.update(reference, wanted, options)) as Pool;
    } catch (failure) {
      if (!hasCode(failure, "Conflict") || attempt === MOST_ATTEMPTS) throw failure;
    }
  }
}

function nameOf({ ip, port }: PoolMember): string {
  return formatHostPort(ip, port);
}

function requireMembers({ metadata, spec }: Pool, members: readonly string[]): void {
  const known = spec.members.map(nameOf);
  const unknown = members.find((member) => !known.includes(member));
  if (unknown === undefined) return;
  throw new ParasausError(
    "NotFound",
    `Cannot drain "${unknown}": pool "${metadata.name}" has ${known.length > 0 ? known.join(", ") : "no members"}`,
  );
}
