import { expect, it } from "vitest";
import type { Plan } from "../../model/index.ts";
import { renderPlan } from "./render-plan.ts";

const pool = { apiVersion: "parasaus.io/v1", kind: "Pool", namespace: "shop", warnings: [], changes: [] };
const plan: Plan = {
  ...{ keptCount: 3, drainedCount: 7, cutCount: 0, unknownNodes: ["n2"] },
  objects: [
    {
      ...{ ...pool, name: "web", outcome: "changed", documentIndex: 0 },
      changes: [{ field: "spec.members[10.0.0.1:80].state", after: "drain" }],
      traffic: {
        ...{ keptCount: 3, drainedCount: 7, cutCount: 0, unknownNodes: ["n2"] },
        members: [
          {
            member: "10.0.0.1:80",
            before: { weight: 1, disposition: "active", share: 0.5 },
            after: { weight: 1, disposition: "draining", share: 0 },
            ...{ keptCount: 0, drainedCount: 7, cutCount: 0, drainSeconds: 30 },
          },
          {
            member: "10.0.0.2:80",
            before: { weight: 1, disposition: "active", share: 0.5 },
            after: { weight: 1, disposition: "active", share: 1 },
            ...{ keptCount: 3, drainedCount: 0, cutCount: 0, shareOnceProbed: 0.75 },
          },
        ],
      },
    },
    {
      ...{ ...pool, name: "db", outcome: "refused", documentIndex: 1 },
      refusal: {
        ...{ code: "Invalid", message: "wrong" },
        fields: [{ field: "spec.port", reason: "FieldValueInvalid", message: "0 is no port" }],
      },
    },
    { ...pool, name: "svc", outcome: "deleted", service: "svc", warnings: ["gone"] },
  ],
};

it("shows what becomes of each field, each member's flows and shares, and where a mistake stands", () => {
  const manifests = [0, 1].map((index) => ({ where: "a", locate: (field: string) => `a:${index}${field}` }));
  expect(renderPlan(plan, manifests)).toBe(`pool.parasaus.io/web changed
  spec.members[10.0.0.1:80].state: (none) -> drain
  MEMBER        NEW FLOWS                          STATE                KEPT   DRAINED           CUT
  10.0.0.1:80   50 % -> 0 %                        active -> draining   0      7 (at most 30s)   0
  10.0.0.2:80   50 % -> 100 % (75 % once probed)   active               3      0                 0
  unknown for node n2
pool.parasaus.io/db refused
  spec.port: 0 is no port (a:1spec.port)
pool.parasaus.io/svc deleted (of service/svc)
  warning: gone
Plan: 1 changed, 1 deleted, 1 refused. Open flows of what changes: 3 kept, 7 drained, 0 cut; unknown for node n2
`);
});
