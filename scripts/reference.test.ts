import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { flagOf, loadConfiguration, SETTING_KEYS } from "../src/configuration/index.ts";
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

  it("of the configuration names every setting", () => {
    const text = readFileSync("docs/reference/configuration.md", "utf8");
    expect(SETTING_KEYS.map(flagOf).filter((flag) => !text.includes(`\`${flag}\``))).toEqual([]);
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

/** Examples of objects name a kind in some line; the others are configuration files. */
const EXAMPLES = readdirSync("examples").filter((file) => file.endsWith(".yaml"));
const holdsObjects = (file: string) => /^kind:/m.test(readFileSync(`examples/${file}`, "utf8"));

describe("examples", () => {
  it.each(EXAMPLES.filter(holdsObjects))("%s holds valid objects", (file) => {
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

  it.each(EXAMPLES.filter((file) => !holdsObjects(file)))("%s is a valid configuration", (file) => {
    const around = { program: "server", isRoot: true, homeDirectory: "/root", hostname: "node-1" } as const;
    const { settings } = loadConfiguration({ flags: {}, environment: {}, file: `examples/${file}`, around });
    expect(Object.values(settings).filter(({ source }) => source.kind === "file").length).toBeGreaterThan(0);
  });
});
