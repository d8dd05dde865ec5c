import { describe, expect, it } from "vitest";
import { readManifests } from "./manifest.ts";

const read = (content: string) => readManifests("web.yaml", content);
const refusal = (content: string) => {
  try {
    return `accepted ${read(content).length}`;
  } catch (error) {
    return (error as Error).message;
  }
};

describe("documents", () => {
  it("reads several documents and the items of Lists, and says which document each is in", () => {
    const manifests = read(`
kind: A
apiVersion: v1
metadata: {name: one}
---
kind: List
apiVersion: v1
items:
- {kind: B, apiVersion: v1, metadata: {name: two}}
- {kind: B, apiVersion: v1, metadata: {name: three}}
---
`);
    expect(manifests.map(({ object, where }) => [object.metadata.name, where])).toEqual([
      ["one", "web.yaml document 1"],
      ["two", "web.yaml document 2"],
      ["three", "web.yaml document 2"],
    ]);
  });

  it("reads JSON, which is YAML", () => {
    expect(read('{"kind":"A","apiVersion":"v1","metadata":{"name":"one"}}')).toHaveLength(1);
  });

  it("finds the line of a field, also inside a List, or of what is around it", () => {
    const [manifest] = read(`kind: List
apiVersion: v1
items:
- kind: Pool
  apiVersion: parasaus.io/v1
  metadata:
    name: web
  spec:
    members:
    - ip: 10.0.0.1
      port: 0
`);
    expect(manifest?.locate("spec.members[0].port")).toBe("web.yaml:11");
    expect(manifest?.locate("spec.members[0].weight")).toBe("web.yaml:10");
    expect(manifest?.locate('metadata.annotations["a.b/c"]')).toBe("web.yaml:7");
  });
});

describe("refusals", () => {
  it.each([
    ["kind: A\nkind: B\n", 'Cannot read "web.yaml": line 2: key "kind" is given twice'],
    ["kind: A\n", 'Cannot read web.yaml: "apiVersion" is missing or no text'],
    [
      "kind: A\napiVersion: v1\nmetadata: {name: 7}\n",
      'Cannot read web.yaml: "metadata.name" is missing or no text',
    ],
    ["just text\n", "Cannot read web.yaml: expected an object"],
  ])("says what is wrong in %j", (content, message) => {
    expect(refusal(content)).toBe(message);
  });
});
