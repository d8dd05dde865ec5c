import { ParasausError, systemClock } from "../../foundation/index.ts";
import type { Operation } from "../../model/index.ts";
import { connect } from "../client/connection.ts";
import { readTargets } from "../client/kinds.ts";
import { NAMESPACE_OPTION, namespaceOf } from "../client/namespaces.ts";
import { formatAge } from "../output/age.ts";
import { EXIT } from "../output/errors.ts";
import { renderTable } from "../output/table.ts";
import { type Invocation, textOption, type Verb } from "../verb.ts";

/** `parasaus history`. */
export const history: Verb = {
  arguments: [{ syntax: "<kind/name>", description: "the object; it may be deleted" }],
  options: [
    { flags: "-m, --member <ip:port>", description: "only what was done to this member of a pool" },
    NAMESPACE_OPTION,
  ],
  programs: ["client"],
  examples: [
    ["Who did what to a pool, its Service and its Endpoints", "parasaus history pool/web -n shop"],
    ["To one member", "parasaus history pool/web -n shop --member 10.0.0.7:80"],
  ],
  run: showHistory,
};

async function showHistory(invocation: Invocation): Promise<number> {
  const query = historyQuery(invocation);
  const { items } = await connect(invocation).ask<{ readonly items: readonly Operation[] }>(
    `/api/history?${query}`,
  );
  const now = systemClock.now();
  const rows = items.map(({ spec }) => [
    spec.revision,
    formatAge(spec.time, now),
    spec.operator,
    spec.verb,
    `${spec.object.kind.toLowerCase()}/${spec.object.name}`,
    spec.member ?? "-",
    spec.source ?? "-",
    spec.reason ?? "-",
  ]);
  const headings = ["REVISION", "AGE", "OPERATOR", "VERB", "OBJECT", "MEMBER", "SOURCE", "REASON"];
  invocation.terminal.stdout.write(renderTable(headings, rows));
  return EXIT.ok;
}

/** What an object is asked for by. @throws ParasausError `Usage` unless one object is named */
export function namedObject(invocation: Invocation): Readonly<Record<string, string>> {
  const [target, ...more] = readTargets(invocation.arguments);
  if (target?.name === undefined || more.length > 0) {
    throw new ParasausError("Usage", `Cannot take "${invocation.arguments.join(" ")}": expected KIND/NAME`);
  }
  const { definition, name } = target;
  const member = textOption(invocation, "member");
  return {
    ...{ kind: definition.kind, name },
    ...(definition.namespaced ? { namespace: namespaceOf(invocation) ?? "" } : {}),
    ...(member === undefined ? {} : { member }),
  };
}

function historyQuery(invocation: Invocation): string {
  return new URLSearchParams(namedObject(invocation)).toString();
}
