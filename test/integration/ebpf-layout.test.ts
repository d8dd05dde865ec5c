import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { DROP_NAMES, LAYOUT } from "../../src/dataplane/ebpf/layout.ts";
import { runProgram } from "../lab/namespaces.ts";

const object = path.resolve("bpf/build/parasaus.bpf.o");
const why = existsSync(object) ? "" : " (skipped: bpf/build/parasaus.bpf.o is not built)";

interface BtfType {
  readonly kind: string;
  readonly name: string;
  readonly size?: number;
  readonly members?: readonly { readonly name: string; readonly bits_offset: number }[];
}

function readBtf(): readonly BtfType[] {
  return JSON.parse(runProgram("bpftool", ["btf", "dump", "file", object, "-j"])).types;
}

it.skipIf(why)(`the table of offsets is that of the object file${why}`, () => {
  const structures = new Map(
    readBtf()
      .filter(({ kind }) => kind === "STRUCT")
      .map((type) => [type.name, type]),
  );
  const fromObject = Object.entries(LAYOUT).map(([name, fields]) => {
    const type = structures.get(name);
    const offsets = new Map(type?.members?.map((member) => [member.name, member.bits_offset / 8]));
    const known = Object.keys(fields).map((field) => [
      field,
      field === "size" ? type?.size : offsets.get(field),
    ]);
    return [name, Object.fromEntries(known)];
  });
  expect(Object.fromEntries(fromObject)).toEqual(LAYOUT);
});

it("every drop reason has its name", () => {
  const header = readFileSync("bpf/include/layout.h", "utf8");
  const reasons = [...header.matchAll(/\bDROP_([A-Z_]+),/g)].map(([, name]) => name?.toLowerCase());
  expect(reasons).toEqual([...DROP_NAMES, "reasons"]);
});
