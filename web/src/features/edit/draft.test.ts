import { describe, expect, it } from "vitest";
import { differences } from "../operations/differences.ts";
import { memberPatch } from "../pool/member-patch.ts";
import { type Draft, valueAt, withValue, writableOf } from "./draft.ts";
import { readYaml, yamlOf } from "./yaml-text.ts";

const member = (last: number, more: object = {}) => ({ ip: `10.0.0.${last}`, port: 80, ...more });
const draft: Draft = { metadata: { name: "web" }, spec: { port: 30_080, members: [member(1), member(2)] } };

describe("a draft", () => {
  it("is changed at a path, and nowhere else", () => {
    const changed = withValue(draft, "spec.members[1].weight", 5);
    expect(valueAt(changed, "spec.members[1].weight")).toBe(5);
    expect(valueAt(draft, "spec.members[1].weight")).toBeUndefined();
    expect(valueAt(changed, "spec.members[0]")).toBe(valueAt(draft, "spec.members[0]"));
  });

  it("grows what is not there yet, and loses what is taken away", () => {
    expect(withValue({}, "spec.healthCheck.http.path", "/x")).toEqual({
      spec: { healthCheck: { http: { path: "/x" } } },
    });
    expect(withValue(draft, "spec.port", undefined)).toEqual({
      ...draft,
      spec: { members: [member(1), member(2)] },
    });
    expect(valueAt(withValue(draft, "spec.members[0]", undefined), "spec.members")).toEqual([member(2)]);
  });

  it("leaves out what the server keeps", () => {
    const annotations = { note: "x", "kubectl.kubernetes.io/last-applied-configuration": "{}" };
    const type = { apiVersion: "parasaus.io/v1", kind: "Pool" };
    const read = { ...type, metadata: { name: "web", uid: "u", annotations }, spec: {}, status: {} };
    expect(writableOf(read)).toEqual({
      ...type,
      metadata: { name: "web", annotations: { note: "x" } },
      spec: {},
    });
  });
});

describe("YAML", () => {
  it("comes back as the draft that it was made of", () => {
    expect(readYaml(yamlOf(draft))).toEqual({ kind: "read", draft });
  });

  it("means what it means to kubectl", () => {
    expect(readYaml("a: yes\nb: 0777\nc: 1:30")).toEqual({
      kind: "read",
      draft: { a: true, b: 511, c: "1:30" },
    });
  });

  it.each(["a: [1", "- a\n- b", "only words", "a: 1\na: 2"])(
    "is refused where it is no object: %j",
    (text) => {
      expect(readYaml(text).kind).toBe("wrong");
    },
  );
});

describe("differences", () => {
  it("names members by their addresses, so that another order is none", () => {
    const before = { members: [member(1), member(2, { weight: 1 })] };
    const after = { members: [member(2, { weight: 3 }), member(1)] };
    expect(differences(before, after)).toEqual([
      { field: "members[10.0.0.2:80].weight", before: "1", after: "3" },
    ]);
  });
});

describe("memberPatch", () => {
  it("changes nothing when another member stands in that place by now", () => {
    const patch = memberPatch({ member: member(2), index: 1, action: "drain", weight: 1, drainSeconds: 60 });
    expect(patch).toEqual([
      { op: "test", path: "/spec/members/1/ip", value: "10.0.0.2" },
      { op: "test", path: "/spec/members/1/port", value: 80 },
      { op: "add", path: "/spec/members/1/drainSeconds", value: 60 },
      { op: "add", path: "/spec/members/1/state", value: "drain" },
    ]);
  });
});
