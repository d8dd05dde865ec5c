import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "../src/foundation/index.ts";
import {
  decodeYaml,
  findDefinition,
  type KubeObject,
  unwrapList,
  validateObject,
} from "../src/model/index.ts";
import { RESOURCE_REFERENCE_PATH, renderResourceReference } from "./resource-reference.ts";

describe("the reference", () => {
  it("of resources is what the schemas say; write it anew with npx tsx scripts/write-resource-reference.ts", () => {
    expect(readFileSync(RESOURCE_REFERENCE_PATH, "utf8")).toBe(renderResourceReference());
  });

  it("of errors names every code of the catalogue as it is, and no other", () => {
    const rows = readFileSync("docs/reference/errors.md", "utf8").matchAll(
      /^\| `(\w+)` \| (\d+) \| `(\w+)` \| (yes|no) \|/gm,
    );
    const documented = Array.from(rows, ([, code, http, reason, retry]) => [
      code,
      { http: Number(http), kubeReason: reason, retryable: retry === "yes" },
    ]);
    expect(Object.fromEntries(documented)).toEqual(ERROR_CODES);
  });
});

describe("examples", () => {
  it.each(readdirSync("examples").filter((file) => file.endsWith(".yaml")))("%s is valid", (file) => {
    const documents = decodeYaml(readFileSync(`examples/${file}`, "utf8")).flatMap(({ value }) =>
      unwrapList(value),
    );
    const refusals = documents.map((document) => {
      const { apiVersion, kind } = document as KubeObject;
      const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
      const definition = findDefinition(kind, group);
      return definition ? validateObject(definition, document, "Strict").refusal?.message : `no kind ${kind}`;
    });
    expect(refusals).toEqual(documents.map(() => undefined));
    expect(documents.length).toBeGreaterThan(0);
  });
});
