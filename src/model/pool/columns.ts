import { formatHostPort } from "../../foundation/index.ts";
import { AGE, columnsOf, NAME, NONE } from "../columns.ts";
import type { Condition } from "../object.ts";
import { formatConnectAddress } from "./connect-address.ts";
import type { ConnectAddress, Pool } from "./pool.ts";

function addressText(address: ConnectAddress): string {
  return formatConnectAddress({ ...address, ip: address.ip === "*" ? "<nodes>" : address.ip });
}

/** Members that are described and up, out of those that are described: `2/3`. */
function upText({ spec, status }: Pool): string {
  const verdicts = new Map((status?.members ?? []).map((member) => [`${member.ip}:${member.port}`, member]));
  const up = spec.members.filter(({ ip, port }) => verdicts.get(`${ip}:${port}`)?.verdict === "up");
  return `${up.length}/${spec.members.length}`;
}

/** The first condition that is not as it should be, else the last word of those that are. */
function conditionText(conditions: readonly Condition[]): string {
  const wrong =
    conditions.find(({ status }) => status === "False") ?? conditions.find((c) => c.status !== "True");
  const told = wrong ?? conditions.at(-1);
  return told ? `${told.type}=${told.status}${told === wrong ? ` (${told.reason})` : ""}` : NONE;
}

/** Columns of `kubectl get pools`. */
export const poolColumns = columnsOf<Pool>({
  NAME,
  ADDRESS: {
    description: "Where clients connect to; <nodes> stands for every address of every node.",
    cell: ({ status }) => (status?.connectAddresses ?? []).map(addressText).join(",") || "<pending>",
  },
  SCHEDULER: { description: "How a new flow picks a member.", cell: ({ spec }) => spec.scheduler },
  UP: { description: "Members that are up, out of all.", cell: upText },
  AGE,
  PROTOCOL: { description: "Transport protocol.", wide: true, cell: ({ spec }) => spec.protocol },
  FORWARDING: { description: "What happens to the packet.", wide: true, cell: ({ spec }) => spec.forwarding },
  CHECK: { description: "How members are probed.", wide: true, cell: ({ spec }) => spec.healthCheck.type },
  MEMBERS: {
    description: "The members.",
    wide: true,
    cell: ({ spec }) => memberList(spec.members.map(({ ip, port }) => formatHostPort(ip, port))),
  },
  CONDITION: {
    description: "What is wrong, if anything.",
    wide: true,
    cell: ({ status }) => conditionText(status?.conditions ?? []),
  },
  OPERATOR: {
    description: "Who did something last, to the pool or to what it comes from.",
    wide: true,
    cell: ({ status }) => status?.lastOperation?.operator,
  },
  OPERATED: {
    description: "Time since then.",
    type: "date",
    wide: true,
    cell: ({ status }) => status?.lastOperation?.time ?? null,
  },
});

const SHOWN_MEMBERS = 3;

function memberList(members: readonly string[]): string {
  const more = members.length - SHOWN_MEMBERS;
  return members.slice(0, SHOWN_MEMBERS).join(",") + (more > 0 ? ` + ${more} more...` : "");
}
