import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../scenario/program.ts";
import type { ConsoleWorld } from "./console-world.ts";
import { missingForConsole, startStockedConsole } from "./stocked-console.ts";
import { CHINESE, ENGLISH, openPage, type Viewer } from "./watched-page.ts";

const LARGEST_FIRST_LOAD_BYTES = 350_000;
const VIEWERS: readonly Viewer[] =
  process.env["PARASAUS_E2E"] === "full"
    ? (["en", "zh-CN"] as const).flatMap((language) =>
        (["light", "dark"] as const).flatMap((colorScheme) =>
          ([1280, 390] as const).map((width) => ({ language, colorScheme, width })),
        ),
      )
    : [ENGLISH, CHINESE];
/** Every page: where it is, and a text that is there once its content has come. */
const PAGES: readonly (readonly [name: string, where: string, sign: string])[] = [
  ["pools", "pools", "p0"],
  ["pool", "pools/shop/web", "10.77.0.1:80"],
  ["edit", "pools/shop/web/edit", "Add a member|添加成员"],
  ["new-pool", "new-pool", "Add a member|添加成员"],
  ["operations", "operations", "alice"],
  ["overview", "overview", "shop/dead"],
  ["nodes", "nodes", "n1"],
  ["explain", "explain", "Explain|查询"],
  ["health", "health", "shop/dead"],
  ["addresses", "addresses", "infra/dns"],
  ["accounts", "accounts", "There are no tokens.|没有令牌。"],
];

let world: ConsoleWorld;

describe.skipIf(missingForConsole)(`pages of the console${missingForConsole}`, () => {
  beforeAll(async () => {
    world = await startStockedConsole();
  });
  afterAll(async () => world?.[Symbol.asyncDispose]());

  describe.each(PAGES)("page %s", (name, where, sign) => {
    it.each(VIEWERS)("can be read by everybody: $language $colorScheme $width", async (viewer) => {
      await using opened = await openPage(world, where, viewer);
      const { page } = opened;
      await page
        .getByText(new RegExp(`^(${sign})$`))
        .first()
        .waitFor();
      await opened.photograph(name);
      expect(await page.evaluate(() => document.documentElement.lang)).toBe(viewer.language);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
        viewer.width,
      );
      expect(await opened.violations()).toEqual([]);
      expect(opened.problems).toEqual([]);
    });
  });

  it("finds what axe-core finds, where there is something", async () => {
    await using opened = await openPage(world, "pools", ENGLISH);
    await opened.page.evaluate(() => document.body.append(document.createElement("input")));
    expect(await opened.violations()).toContainEqual(expect.stringMatching(/^label: /));
  });

  it("loads little JavaScript first", () => {
    const folder = path.join(ROOT, "dist/console");
    const html = readFileSync(path.join(folder, "index.html"), "utf8");
    const first = [...html.matchAll(/(?:src|href)="\/console\/(assets\/[^"]+\.js)"/g)].map(
      ([, file = ""]) => file,
    );
    const catalogues = readdirSync(path.join(folder, "assets")).filter((file) => /^(en|zh-cn)-/.test(file));
    expect([first.length > 0, catalogues.length]).toEqual([true, 2]);
    const bytes = [...first, ...catalogues.map((file) => `assets/${file}`)].map(
      (file) => gzipSync(readFileSync(path.join(folder, file))).length,
    );
    expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(LARGEST_FIRST_LOAD_BYTES);
  });
});
