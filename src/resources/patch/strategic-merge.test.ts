import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endpointsDefinition, serviceDefinition } from "../../model/index.ts";
import { applyMergePatch } from "./merge-patch.ts";
import { applyStrategicMergePatch } from "./strategic-merge.ts";

const HTTP = { name: "http", port: 80, nodePort: 30_080, protocol: "TCP" };
const HTTPS = { name: "https", port: 443, nodePort: 30_443, protocol: "TCP" };
const DNS = { name: "dns", port: 53, nodePort: 30_053, protocol: "UDP" };

function portsAfter(patch: object, ports: readonly object[] = [HTTP, HTTPS, DNS]): unknown {
  const after = applyStrategicMergePatch({ spec: { ports } }, { spec: patch }, serviceDefinition.schema);
  return (after as { spec: { ports: unknown } }).spec.ports;
}

function metadataAfter(before: object, patch: object): unknown {
  const after = applyStrategicMergePatch({ metadata: before }, { metadata: patch }, serviceDefinition.schema);
  return (after as { metadata: unknown }).metadata;
}

describe("the ports of a Service", () => {
  it("are merged by their port number, so that a nodePort can be changed alone", () => {
    expect(portsAfter({ ports: [{ port: 443, nodePort: 31_443 }] })).toEqual([
      HTTP,
      { ...HTTPS, nodePort: 31_443 },
      DNS,
    ]);
  });

  it("are pruned by the patch that kubectl apply sends for a port that left the file", () => {
    const patch = {
      "$setElementOrder/ports": [{ port: 80 }, { port: 53 }],
      ports: [{ $patch: "delete", port: 443 }],
    };
    expect(portsAfter(patch)).toEqual([HTTP, DNS]);
  });

  it("come into the order of the file that kubectl apply was given", () => {
    const patch = {
      "$setElementOrder/ports": [{ port: 8080 }, { port: 53 }, { port: 80 }, { port: 443 }],
      ports: [{ port: 8080, name: "alt" }],
    };
    expect(portsAfter(patch)).toEqual([{ port: 8080, name: "alt" }, DNS, HTTP, HTTPS]);
  });

  it("are reordered by an order alone", () => {
    expect(portsAfter({ "$setElementOrder/ports": [{ port: 53 }, { port: 443 }, { port: 80 }] })).toEqual([
      DNS,
      HTTPS,
      HTTP,
    ]);
  });

  it("that the file does not know keep their place before the neighbour that they stood before", () => {
    const patch = {
      "$setElementOrder/ports": [{ port: 443 }, { port: 53 }],
      ports: [{ port: 53, name: "zone" }],
    };
    expect(portsAfter(patch)).toEqual([HTTP, HTTPS, { ...DNS, name: "zone" }]);
  });

  it("are replaced as a whole when the patch says so", () => {
    expect(portsAfter({ ports: [{ $patch: "replace" }, { port: 1 }] })).toEqual([{ port: 1 }]);
  });

  it("lose a field that is set to null", () => {
    expect(portsAfter({ ports: [{ port: 80, nodePort: null }] }, [HTTP])).toEqual([
      { name: "http", port: 80, protocol: "TCP" },
    ]);
  });

  it("of one number and two protocols survive an order that cannot tell them apart", () => {
    const both = [
      { port: 53, protocol: "TCP", name: "tcp" },
      { port: 53, protocol: "UDP", name: "udp" },
    ];
    expect(portsAfter({ "$setElementOrder/ports": [{ port: 53 }, { port: 53 }] }, both)).toEqual(both);
  });

  it.each<[string, object, string]>([
    ["a port without number", { ports: [{ name: "http" }] }, 'spec.ports: an element lacks its key "port"'],
    ["a port that is no object", { ports: [80] }, "spec.ports: its elements must be objects"],
    ["an unknown directive", { ports: [{ $patch: "keep", port: 80 }] }, 'spec.ports: "$patch" of an element'],
    [
      "an unknown directive of an object",
      { $patch: "keep" },
      'spec: "$patch" must be replace, merge or delete',
    ],
    [
      "an order that the patch itself does not keep",
      { "$setElementOrder/ports": [{ port: 443 }, { port: 80 }], ports: [{ port: 80 }, { port: 443 }] },
      "spec.ports: the elements do not stand in the order given",
    ],
    ["an order that is no list", { "$setElementOrder/ports": {} }, "spec.ports: the order of elements"],
    [
      "10,000 ports",
      { ports: Array.from({ length: 10_000 }, (_, port) => ({ port })) },
      "more than 2048 elements",
    ],
  ])("are not touched by %s", (_, patch, message) => {
    expect(() => portsAfter(patch)).toThrowError(
      expect.objectContaining({ code: "BadRequest", message: expect.stringContaining(message) }),
    );
  });
});

describe("other lists", () => {
  it("of scalars with the merge strategy are joined without duplicates", () => {
    expect(metadataAfter({ finalizers: ["a", "b"] }, { finalizers: ["b", "c"] })).toEqual({
      finalizers: ["a", "b", "c"],
    });
  });

  it("of scalars lose what $deleteFromPrimitiveList names", () => {
    const patch = { "$deleteFromPrimitiveList/finalizers": ["a"], "$setElementOrder/finalizers": ["b"] };
    expect(metadataAfter({ finalizers: ["a", "b"] }, patch)).toEqual({ finalizers: ["b"] });
  });

  it("of conditions are merged by type", () => {
    const before = {
      status: {
        conditions: [
          { type: "Ready", status: "False" },
          { type: "Seen", status: "True" },
        ],
      },
    };
    const patch = { status: { conditions: [{ type: "Ready", status: "True" }] } };
    expect(applyStrategicMergePatch(before, patch, serviceDefinition.schema)).toMatchObject({
      status: {
        conditions: [
          { type: "Ready", status: "True" },
          { type: "Seen", status: "True" },
        ],
      },
    });
  });

  it("without a strategy are replaced, as the subsets of Endpoints", () => {
    const before = { subsets: [{ addresses: [{ ip: "10.0.0.1" }], ports: [{ port: 80 }] }] };
    const patch = { subsets: [{ addresses: [{ ip: "10.0.0.2" }] }] };
    expect(applyStrategicMergePatch(before, patch, endpointsDefinition.schema)).toEqual(patch);
  });
});

describe("objects", () => {
  it("are merged, replaced or emptied as $patch says", () => {
    const labels = { a: "1", b: "2" };
    expect(metadataAfter({ labels }, { labels: { a: null, c: "3" } })).toEqual({
      labels: { b: "2", c: "3" },
    });
    expect(metadataAfter({ labels }, { labels: { $patch: "replace", c: "3" } })).toEqual({
      labels: { c: "3" },
    });
    expect(metadataAfter({ labels }, { labels: { $patch: "delete" } })).toEqual({ labels: {} });
  });

  it("keep only what $retainKeys names", () => {
    const patch = {
      $retainKeys: ["type", "externalName"],
      type: "ExternalName",
      externalName: "db.example.com",
    };
    const after = applyStrategicMergePatch(
      { spec: { type: "NodePort", ports: [HTTP] } },
      { spec: patch },
      serviceDefinition.schema,
    );
    expect(after).toEqual({ spec: { type: "ExternalName", externalName: "db.example.com" } });
  });

  it("that the schema does not know are merged like any other, as top-level annotations once were", () => {
    const before = { annotations: { healthCheckType: "http", calledSource: "kubectl" } };
    const patch = { annotations: { healthCheckType: "tcp" } };
    expect(applyStrategicMergePatch(before, patch, {})).toEqual({
      annotations: { healthCheckType: "tcp", calledSource: "kubectl" },
    });
  });

  it("that are not there stay away when the patch deletes them", () => {
    expect(metadataAfter({}, { labels: { $patch: "delete" } })).toEqual({});
  });

  it("that are new take the patch without its directives and nulls", () => {
    expect(metadataAfter({}, { labels: { a: "1", b: null, $retainKeys: ["a"] } })).toEqual({
      labels: { a: "1" },
    });
  });
});

describe("applyStrategicMergePatch", () => {
  const plainKey = fc.constantFrom("spec", "a", "b", "labels", "__proto__", "constructor");
  const plainObject = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.integer(),
      fc.constant(null),
      fc.array(fc.integer(), { maxLength: 3 }),
      fc.dictionary(plainKey, tie("node"), { maxKeys: 3 }),
    ),
  })).node;
  const withoutNull = (value: unknown): unknown => applyMergePatch({}, value);

  it("is a merge patch where no schema and no directive says otherwise", () => {
    fc.assert(
      fc.property(
        fc.dictionary(plainKey, plainObject).map(withoutNull),
        fc.dictionary(plainKey, plainObject),
        (target, patch) => {
          expect(applyStrategicMergePatch(target, patch, {})).toEqual(applyMergePatch(target, patch));
        },
      ),
    );
  });

  it("refuses what is no object", () => {
    expect(() => applyStrategicMergePatch({}, [], {})).toThrowError(
      expect.objectContaining({ code: "BadRequest" }),
    );
  });
});
