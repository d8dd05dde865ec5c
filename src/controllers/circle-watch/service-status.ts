import type { Pool, Service } from "../../model/index.ts";
import { EVERY_NODE } from "../allocator/ranges.ts";
import { withCondition, withoutCondition } from "../runtime/conditions.ts";
import { ownedPoolOf, type Problem, serviceTypeOf } from "./generate.ts";

const PROBLEM_TYPES: readonly Problem["type"][] = [
  "NoAddressPool",
  "InvalidAnnotation",
  "PoolNameTaken",
  "PoolRefused",
];

/**
 * The Service with the problems of its Pools as conditions, each only while it lasts, and with the address that a
 * LoadBalancer got; undefined when it says so already.
 */
export function withServiceStatus(
  service: Service,
  owned: readonly Pool[],
  problems: readonly Problem[],
  now: Date,
): Service | undefined {
  const status = service.status ?? {};
  let conditions = status.conditions ?? [];
  for (const type of PROBLEM_TYPES) {
    const found = problems.filter((problem) => problem.type === type).map(({ message }) => message);
    const word = { type, status: "True", reason: type, message: found.join("; ") } as const;
    conditions =
      found.length === 0 ? withoutCondition(conditions, type) : withCondition(conditions, word, now);
  }
  const ingress = serviceTypeOf(service) === "LoadBalancer" ? ipsOf(owned).map((ip) => ({ ip })) : [];
  const isSame =
    conditions === (status.conditions ?? conditions) &&
    (status.conditions !== undefined || conditions.length === 0) &&
    JSON.stringify(ingress) === JSON.stringify(status.loadBalancer?.ingress ?? []);
  if (isSame) return undefined;
  return {
    ...service,
    status: { ...status, conditions, loadBalancer: ingress.length === 0 ? {} : { ingress } },
  };
}

/** The Service with the node ports that were allocated, or undefined when nothing is missing. */
export function withNodePorts(service: Service, owned: readonly Pool[]): Service | undefined {
  if (serviceTypeOf(service) !== "NodePort") return undefined;
  let isChanged = false;
  const ports = (service.spec.ports ?? []).map((port) => {
    const pool = port.nodePort === undefined ? ownedPoolOf(owned, port.name ?? "") : undefined;
    const nodePort = pool?.status?.connectAddresses?.find(({ ip }) => ip === EVERY_NODE)?.port;
    if (nodePort === undefined) return port;
    isChanged = true;
    return { ...port, nodePort };
  });
  return isChanged ? { ...service, spec: { ...service.spec, ports } } : undefined;
}

function ipsOf(owned: readonly Pool[]): string[] {
  const ips = owned.flatMap(({ status }) => status?.connectAddresses ?? []).map(({ ip }) => ip);
  return [...new Set(ips)].filter((ip) => ip !== EVERY_NODE).sort();
}
