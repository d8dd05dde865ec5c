import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { describe, expect, it } from "vitest";
import { readProtobufNamespace } from "./protobuf-namespace.ts";

type Part = readonly [field: number, content: string | Uint8Array];

function message(...parts: readonly Part[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [field, content] of parts) {
    writer
      .tag(field, WireType.LengthDelimited)
      .bytes(typeof content === "string" ? Buffer.from(content) : content);
  }
  return writer.finish();
}

function body(...object: readonly Part[]): Buffer {
  const envelope = message(
    [1, message([1, "v1"], [2, "Namespace"])],
    [2, message(...object)],
    [3, ""],
    [4, ""],
  );
  return Buffer.concat([Buffer.from("k8s\0"), envelope]);
}

describe("readProtobufNamespace", () => {
  it("reads what kubectl create namespace writes", () => {
    const metadata = message(
      [1, "shop"],
      [2, ""],
      [8, ""],
      [11, message([1, "tier"], [2, "front"])],
      [11, message([1, "team"], [2, "a"])],
      [12, message([1, "note"], [2, "合页"])],
    );
    expect(readProtobufNamespace(body([1, metadata], [2, ""], [3, message([1, ""])]))).toEqual({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "shop", labels: { tier: "front", team: "a" }, annotations: { note: "合页" } },
    });
  });

  it.each([
    ["what begins otherwise", Buffer.from("{}")],
    ["what is cut off", body([1, message([1, "shop"])]).subarray(0, -6)],
    ["what has a spec", body([1, message([1, "shop"])], [2, message([1, "kubernetes"])])],
    ["what has finalizers", body([1, message([1, "shop"], [14, "a/b"])])],
    ["nothing", Buffer.alloc(0)],
  ])("refuses %s rather than drop a part of it", (_what, bytes) => {
    expect(() => readProtobufNamespace(bytes)).toThrow(/Cannot read the Namespace: .*; send it as JSON/);
  });
});
