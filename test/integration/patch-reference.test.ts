/**
 * `kubectl patch --local` runs Kubernetes' own patch code on a file, without a server. Ours must give the same for
 * patches as kubectl and people write them. Left out, because there Kubernetes itself answers nonsense: `$patch` and
 * orders for fields that do not exist yet, the place of elements beside deleted ones, and copies of what is not there.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { ParasausError } from "../../src/foundation/index.ts";
import { serviceDefinition } from "../../src/model/index.ts";
import type { Patch } from "../../src/resources/index.ts";
import { applyPatch } from "../../src/resources/patch/index.ts";
import { findKubectls } from "./kubectl.ts";

const CASES = 60;
const PORTS = [80, 443, 53, 8080];
const FINALIZERS = ["x/a", "x/b", "x/c", "x/d"];

type Fields = Readonly<Record<string, unknown>>;

const port = fc.constantFrom(...PORTS);
const labels = fc.dictionary(fc.constantFrom("k", "l", "m"), fc.constantFrom("1", "2"));
const finalizers = fc.uniqueArray(fc.constantFrom(...FINALIZERS), { minLength: 1 });
const ports = fc.uniqueArray(
  fc.record(
    { port, name: fc.constantFrom("a", "b"), nodePort: fc.constantFrom(30_001, 30_002) },
    { requiredKeys: ["port"] },
  ),
  { selector: (each) => each.port, minLength: 1 },
);
const conditions = fc.uniqueArray(
  fc.record({ type: fc.constantFrom("A", "B", "C"), status: fc.constantFrom("True", "False") }),
  { selector: ({ type }) => type, minLength: 1 },
);

const original = fc.record({
  apiVersion: fc.constant("v1"),
  kind: fc.constant("Service"),
  metadata: fc.record({ name: fc.constant("web"), namespace: fc.constant("shop"), labels, finalizers }),
  spec: fc.record({ type: fc.constant("NodePort"), ports, selector: labels }),
  status: fc.record({ conditions }),
});

/** As kubectl apply makes them: what is added stands in the order of the file, what left it is deleted. */
const appliedPorts = fc
  .tuple(
    fc.uniqueArray(port, { minLength: 1 }),
    fc.array(fc.option(fc.constantFrom("z", null), { nil: undefined }), { minLength: 4, maxLength: 4 }),
    fc.boolean(),
  )
  .map(([order, names, deletes]): Fields => {
    const added = order.flatMap((each, index) =>
      names[index] === undefined ? [] : [{ port: each, name: names[index] }],
    );
    const gone = PORTS.filter((each) => !order.includes(each)).slice(0, deletes ? 1 : 0);
    const changes = [...added, ...gone.map((each) => ({ port: each, $patch: "delete" }))];
    return {
      "$setElementOrder/ports": order.map((each) => ({ port: each })),
      ...(changes.length > 0 ? { ports: changes } : {}),
    };
  });
const handmadePorts = fc
  .uniqueArray(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ port, nodePort: fc.constantFrom(30_009, null) }, { requiredKeys: ["port"] }),
      },
      { weight: 2, arbitrary: port.map((each) => ({ port: each, $patch: "delete" })) },
      {
        weight: 1,
        arbitrary: fc.constantFrom({ $patch: "replace" }, { name: "no-key" }, { $patch: "bogus", port: 80 }),
      },
    ),
    { selector: (each) => ("port" in each ? each.port : JSON.stringify(each)), minLength: 1, maxLength: 3 },
  )
  .map((list): Fields => ({ ports: list }));
const appliedFinalizers = finalizers.chain((order) =>
  fc.subarray(order).map(
    (added): Fields => ({
      "$setElementOrder/finalizers": order,
      ...(added.length > 0 ? { finalizers: added } : {}),
      "$deleteFromPrimitiveList/finalizers": [FINALIZERS.find((each) => !order.includes(each)) ?? "x/none"],
    }),
  ),
);
const patchedLabels = fc.oneof(
  fc.dictionary(fc.constantFrom("k", "l", "m"), fc.constantFrom("9", null)),
  fc.constantFrom({ $patch: "replace", k: "7" }, { $patch: "delete" }, null),
);

const join = (parts: readonly Fields[]): Fields => Object.assign({}, ...parts) as Fields;
const strategic = fc.record(
  {
    metadata: fc
      .tuple(fc.record({ labels: patchedLabels }, { requiredKeys: [] }), appliedFinalizers)
      .map(join),
    spec: fc.oneof(
      {
        weight: 5,
        arbitrary: fc
          .tuple(
            fc.record({ selector: patchedLabels }, { requiredKeys: [] }),
            fc.oneof(appliedPorts, handmadePorts),
          )
          .map(join),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom<Fields | null>(
          null,
          { $patch: "replace", type: "ClusterIP" },
          { $retainKeys: ["type"], type: "ClusterIP" },
          { $retainKeys: ["type"], externalName: "stray" },
        ),
      },
    ),
    status: fc.record({ conditions }),
  },
  { requiredKeys: [] },
);

const pointer = fc.constantFrom(
  "/spec/type",
  "/spec/ports/0/port",
  "/spec/ports/-",
  "/spec/ports/9",
  "/metadata/labels/k",
  "/status",
  "/nope/x",
);
const json = fc.array(
  fc.oneof(
    fc.record({
      op: fc.constantFrom("add", "replace", "test"),
      path: pointer,
      value: fc.constantFrom("NodePort", 80, { port: 1 }),
    }),
    fc.record({ op: fc.constant("remove"), path: pointer }),
    fc.record({ op: fc.constant("move"), from: pointer, path: pointer }),
  ),
  { maxLength: 3 },
);

const patch: fc.Arbitrary<Patch> = fc.oneof(
  { weight: 4, arbitrary: strategic.map((body): Patch => ({ type: "strategic", body })) },
  {
    weight: 1,
    arbitrary: strategic.map((body): Patch => ({ type: "merge", body: withoutDirectives(body) })),
  },
);

/** What a directive means to a merge patch is not the question. */
function withoutDirectives(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body, (key, value: unknown) => (key.startsWith("$") ? undefined : value)));
}

const directory = mkdtempSync(path.join(tmpdir(), "parasaus-patch-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** Null is absent, and the order of ports is left out where Kubernetes' own depends on memory. */
function comparable(value: unknown, deletes: boolean): unknown {
  const plain: unknown = JSON.parse(
    JSON.stringify(value, (key, inner: unknown) =>
      inner === null || key === "creationTimestamp" ? undefined : inner,
    ),
  );
  return JSON.parse(
    JSON.stringify(plain, (key, inner: unknown) => (deletes && key === "ports" ? sorted(inner) : inner)),
  );
}

function sorted(list: unknown): unknown {
  if (!Array.isArray(list)) return list;
  return list.map((each) => JSON.stringify(each, ["port", "name", "nodePort"])).sort();
}

function ours(before: object, change: Patch): unknown {
  try {
    return applyPatch(change, before, serviceDefinition);
  } catch (failure) {
    if (failure instanceof ParasausError) return "refused";
    throw failure;
  }
}

async function theirs(kubectl: string, before: object, change: Patch): Promise<unknown> {
  const file = path.join(directory, "service.json");
  writeFileSync(file, JSON.stringify(before));
  const flags = [
    "patch",
    "--local",
    "-f",
    file,
    `--type=${change.type}`,
    "-p",
    JSON.stringify(change.body),
    "-o",
    "json",
  ];
  const env = { ...process.env, KUBECONFIG: "/dev/null", HOME: directory };
  try {
    return JSON.parse((await promisify(execFile)(kubectl, flags, { env })).stdout);
  } catch {
    return "refused";
  }
}

describe("applyPatch beside Kubernetes' own code", () => {
  const kubectl = findKubectls().found.at(-1);

  it.skipIf(kubectl === undefined)("gives the same objects and refuses the same patches", async () => {
    let applied = 0;
    const property = fc.asyncProperty(original, patch, async (before, change) => {
      const expected = await theirs(kubectl?.file ?? "", before, change);
      const deletes = JSON.stringify(change.body).includes('"delete"');
      expect(comparable(ours(before, change), deletes)).toEqual(comparable(expected, deletes));
      if (expected !== "refused") applied += 1;
    });
    await fc.assert(property, { numRuns: CASES, seed: 20_261_122, endOnFailure: true });
    process.stdout.write(
      `${CASES} patches as kubectl ${kubectl?.version} applies them, ${applied} not refused\n`,
    );
    expect(applied).toBeGreaterThan(CASES / 2);
  });

  it.skipIf(kubectl === undefined)("applies JSON patches as Kubernetes does", async () => {
    const property = fc.asyncProperty(original, json, async (before, body) => {
      const change: Patch = { type: "json", body };
      expect(comparable(ours(before, change), false)).toEqual(
        comparable(await theirs(kubectl?.file ?? "", before, change), false),
      );
    });
    await fc.assert(property, { numRuns: CASES, seed: 20_261_122, endOnFailure: true });
  });
});
