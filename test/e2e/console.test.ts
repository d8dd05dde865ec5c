import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canMakeNamespaces } from "../lab/namespaces.ts";
import { buildProgram, ROOT } from "../scenario/program.ts";
import { type ConsoleWorld, hasChromium, memberAt, poolOf, startConsoleWorld } from "./console-world.ts";
import { openPage, type Viewer } from "./watched-page.ts";

const LARGEST_FIRST_LOAD_BYTES = 350_000;
const HOSTILE = '<img src=x onerror="document.title=`owned`"><script>document.title="owned"</script>';
const ENGLISH: Viewer = { language: "en", colorScheme: "light", width: 1280 };
const CHINESE_WIDE: Viewer = { language: "zh-CN", colorScheme: "light", width: 1280 };
const MADE_HERE = `kind: Pool
apiVersion: parasaus.io/v1
metadata: {name: made-here, namespace: default}
spec:
  members: [{ip: 10.77.0.1, port: 80}]
`;
const CHINESE: Viewer = { language: "zh-CN", colorScheme: "dark", width: 390 };
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

describe.skipIf(!canMakeNamespaces() || !hasChromium())("console", () => {
  beforeAll(async () => {
    buildProgram();
    world = await startConsoleWorld("--no-auth");
    world.setWell("10.77.0.2", false);
    world.apply(
      poolOf("shop", "web", [memberAt(0, { weight: 3 }), memberAt(1), memberAt(2, { state: "drain" })], {
        metadata: { labels: { team: "front" }, annotations: { note: HOSTILE } },
      }),
      poolOf("shop", "dead", [memberAt(1)]),
      poolOf("infra", "dns", [{ ip: "10.77.0.9", port: 53 }], {
        protocol: "UDP",
        healthCheck: { type: "none" },
      }),
      poolOf("infra", "empty", []),
      ...Array.from({ length: 300 }, (_, index) => poolOf("bulk", `p${index}`, [])),
    );
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

  it("finds pools while one types, counts them, and keeps the search in the address", async () => {
    await using opened = await openPage(world, "pools", ENGLISH);
    const { page } = opened;
    await page.getByText("304 pools", { exact: true }).waitFor();
    await page.getByRole("searchbox").fill("10.77.0.2 state:degraded");
    await page.getByText("1 of 304 pools").waitFor();
    expect(page.url()).toContain("search=10.77.0.2");
    await page.reload();
    await page.getByText("1 of 304 pools").waitFor();
    await page.getByRole("button", { name: "Clear the search" }).click();
    await page.getByText("304 pools", { exact: true }).waitFor();
  });

  it("shows far rows of a long list, of which few exist at a time", async () => {
    await using opened = await openPage(world, "pools", ENGLISH);
    const { page } = opened;
    await page.getByText("304 pools", { exact: true }).waitFor();
    const list = page.getByRole("region", { name: "Pools, 304 found" });
    expect(await list.getByRole("row").count()).toBeLessThan(60);
    await list.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await page.getByText("web", { exact: true }).waitFor();
  });

  it("shows a changed verdict within a second", async () => {
    await using opened = await openPage(world, "pools?search=shop/web", ENGLISH);
    const { page } = opened;
    await page.getByText("2/3").waitFor();
    const seen = page.getByText("3/3").waitFor();
    world.setWell("10.77.0.2", true);
    await stateStored("shop", "web", "up");
    const startedMs = performance.now();
    await seen;
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    world.setWell("10.77.0.2", false);
    await page.getByText("2/3").waitFor();
  });

  async function stateStored(namespace: string, name: string, verdict: string): Promise<void> {
    const where = `/apis/parasaus.io/v1/namespaces/${namespace}/pools/${name}`;
    await expect
      .poll(
        () =>
          (world.ask("GET", where) as StoredPool).status.members.every(
            (member) => member.verdict === verdict,
          ),
        {
          timeout: 10_000,
        },
      )
      .toBe(true);
  }

  it("deletes by keyboard alone, after it was asked, with a reason in the record", async () => {
    world.apply(poolOf("shop", "doomed", []));
    await using opened = await openPage(world, "pools?search=doomed", ENGLISH);
    const { page } = opened;
    await page.getByText(/^1 of \d+ pools$/).waitFor();
    const actions = page.getByRole("button", { name: "Actions on shop/doomed" });
    await pressUntilFocused(page, "Tab", actions);
    await page.keyboard.press("Enter");
    const remove = page.getByRole("menuitem", { name: "Delete" });
    await remove.waitFor();
    await pressUntilFocused(page, "ArrowDown", remove);
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Delete shop/doomed?" }).waitFor();
    expect(await opened.violations()).toEqual([]);
    await page.keyboard.type("不再需要");
    await page.keyboard.press("Enter");
    await page.getByText(/^0 of \d+ pools$/).waitFor();
    const { rows } = world.ask("GET", "/api/console/operations?search=verb:delete") as {
      rows: readonly object[];
    };
    expect(rows[0]).toMatchObject({ operator: "console", object: "doomed", reason: "不再需要" });
    expect(opened.problems).toEqual([]);
  });

  it("drains a member after it was asked, and counts down", async () => {
    await using opened = await openPage(world, "pools/shop/web", ENGLISH);
    const { page } = opened;
    await page.getByRole("button", { name: "Actions on 10.77.0.1:80" }).click();
    await page.getByRole("menuitem", { name: "Drain" }).click();
    const dialog = page.getByRole("dialog", { name: "Drain 10.77.0.1:80?" });
    await dialog.getByLabel("Cut the remaining connections").fill("300");
    await dialog.getByRole("button", { name: "Drain" }).click();
    await page.getByText(/^\s*4:\d\d left/).waitFor();
    const { spec } = world.ask("GET", poolPath("web")) as StoredPool;
    expect(spec.members[0]).toMatchObject({ state: "drain", drainSeconds: 300 });
    await page.getByRole("button", { name: "Actions on 10.77.0.1:80" }).click();
    await page.getByRole("menuitem", { name: "Ready" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Ready" }).click();
    await page.getByText(/4:\d\d left/).waitFor({ state: "detached" });
  });

  it("creates a pool from form and YAML, with what is wrong beside its field", async () => {
    await using opened = await openPage(world, "new-pool", CHINESE_WIDE);
    const { page } = opened;
    await page.getByLabel("名称", { exact: true }).fill("made-here");
    await page.getByRole("button", { name: "添加成员" }).click();
    const line = page.getByRole("group", { name: "成员 1" });
    await line.getByLabel("IP 地址").fill("10.77.0.1");
    await line.getByLabel("端口").fill("99999");
    await page.getByRole("button", { name: "检查并保存" }).click();
    await line.getByText("99999").waitFor();
    expect(await line.getByLabel("端口").getAttribute("aria-invalid")).toBe("true");
    const yaml = page.getByRole("textbox", { name: "YAML 文本" });
    expect(await yaml.textContent()).toContain("port: 99999");
    await yaml.click();
    await page.keyboard.press("Control+a");
    await paste(page, MADE_HERE);
    await expect.poll(() => line.getByLabel("端口").inputValue()).toBe("80");
    await page.getByRole("button", { name: "检查并保存" }).click();
    await page.getByRole("dialog").getByText("spec.members[10.77.0.1:80].port").waitFor();
    await opened.photograph("review");
    await page.getByRole("dialog").getByRole("button", { name: "保存" }).click();
    await page.getByRole("heading", { name: "default/made-here" }).waitFor();
    expect(opened.problems.filter((text) => !text.includes("422"))).toEqual([]);
    world.ask("DELETE", "/apis/parasaus.io/v1/namespaces/default/pools/made-here");
  });

  it("shows before saving what a change does to traffic, and saves it with what is then known", async () => {
    world.apply(poolOf("shop", "planned", [memberAt(0), memberAt(2)]));
    await stateStored("shop", "planned", "up");
    await using opened = await openPage(world, "pools/shop/planned/edit", ENGLISH);
    const { page } = opened;
    const line = page.getByRole("group", { name: "Member 1" });
    await line.getByLabel("State").selectOption("drain");
    await page.getByRole("button", { name: "Review and save" }).click();
    const dialog = page.getByRole("dialog", { name: "Review and save" });
    const table = dialog.getByRole("region", { name: "Table: What it does to traffic now" });
    const [first, second] = [table.getByRole("row").nth(1), table.getByRole("row").nth(2)];
    expect(await first.textContent()).toMatch(/^10\.77\.0\.1:8050% → 0%takes new connections → drains/);
    expect(await second.textContent()).toMatch(/^10\.77\.0\.3:8050% → 100%takes new connections/);
    expect(await opened.violations()).toEqual([]);
    await opened.photograph("plan");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "shop/planned" }).waitFor();
    const { spec } = world.ask("GET", poolPath("planned")) as StoredPool;
    expect(spec.members[0]).toMatchObject({ state: "drain" });
    world.ask("DELETE", poolPath("planned"));
    expect(opened.problems).toEqual([]);
  });

  it("rolls a pool back to how it was after an operation", async () => {
    world.apply(poolOf("shop", "undone", [memberAt(0)]));
    world.apply(poolOf("shop", "undone", [memberAt(0), memberAt(3)]));
    await using opened = await openPage(world, "operations?search=undone", ENGLISH);
    const { page } = opened;
    await page.getByText(/^2 of /).waitFor();
    await page
      .getByRole("button", { name: /^Changes: / })
      .last()
      .click();
    await page.getByRole("button", { name: "Roll back to how it was after this" }).click();
    expect(await opened.violations()).toEqual([]);
    await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
    await page.getByText("rolled back", { exact: true }).waitFor();
    expect((world.ask("GET", poolPath("undone")) as StoredPool).spec.members).toHaveLength(1);
    world.ask("DELETE", poolPath("undone"));
    expect(opened.problems).toEqual([]);
  });

  it("says what is down and why, and finds it by its reason", async () => {
    await using opened = await openPage(world, "health", ENGLISH);
    const { page } = opened;
    const table = page.getByRole("region", { name: "Table: Health" });
    await table.getByRole("link", { name: "shop/dead" }).waitFor();
    await page.getByRole("alert").getByText("Health is ignored in 1 pool").waitFor();
    await page.getByRole("button", { name: /^L7STS \d+: show these alone/ }).click();
    expect(page.url()).toContain("reason%3AL7STS");
    await table.getByText("L7STS").first().waitFor();
    await page.getByRole("searchbox").fill("reason:L4TOUT");
    await page.getByText("Nothing matches.").waitFor();
    expect(opened.problems).toEqual([]);
  });

  it("shows who holds the connect addresses of a block, which the arrow keys lead to", async () => {
    world.apply(poolOf("shop", "placed", [], { port: 64_999 }));
    await using opened = await openPage(world, "addresses", ENGLISH);
    const { page } = opened;
    const grid = page.getByRole("group", { name: "Occupancy of node-ports" });
    const last = grid.getByRole("button").last();
    await expect.poll(() => last.getAttribute("aria-label")).toContain("1 of 65 held");
    await pressUntilFocused(page, "Tab", grid.getByRole("button").first());
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowLeft");
    for (let line = 0; line < 40; line += 1) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByText("1 connect address", { exact: true }).waitFor();
    await page.getByRole("link", { name: "shop/placed" }).waitFor();
    await opened.photograph("addresses-block");
    expect(await opened.violations()).toEqual([]);
    world.ask("DELETE", poolPath("placed"));
    await page.getByText(/^kept back until/).waitFor();
    expect(opened.problems).toEqual([]);
  });

  it("probes a member now, by its check and from every node", async () => {
    await using opened = await openPage(world, "pools/shop/web", ENGLISH);
    const { page } = opened;
    await page.getByRole("button", { name: "Actions on 10.77.0.2:80" }).click();
    await page.getByRole("menuitem", { name: "Probe now" }).click();
    const dialog = page.getByRole("dialog", { name: "Probe of 10.77.0.2:80" });
    await dialog.getByText(/^L7STS .*503/).waitFor();
    await dialog.getByText(/^reached in/).waitFor();
    expect(await opened.violations()).toEqual([]);
    await opened.photograph("probe");
    expect(opened.problems).toEqual([]);
  });

  it("rolls one member back and leaves the others as they are", async () => {
    world.apply(poolOf("shop", "members", [memberAt(0, { weight: 1 }), memberAt(2, { weight: 1 })]));
    world.apply(poolOf("shop", "members", [memberAt(0, { weight: 7 }), memberAt(2, { weight: 9 })]));
    await using opened = await openPage(world, "pools/shop/members", ENGLISH);
    const { page } = opened;
    await page.getByRole("button", { name: "Actions on 10.77.0.1:80" }).click();
    await page.getByRole("menuitem", { name: "Roll back" }).click();
    const dialog = page.getByRole("dialog", { name: "Roll back 10.77.0.1:80?" });
    await dialog.getByText("weight", { exact: true }).waitFor();
    expect(await opened.violations()).toEqual([]);
    await opened.photograph("member-rollback");
    await dialog.getByRole("button", { name: "Roll back" }).click();
    await dialog.waitFor({ state: "detached" });
    const { spec } = world.ask("GET", poolPath("members")) as StoredPool;
    expect(spec.members).toMatchObject([{ weight: 1 }, { weight: 9 }]);
    world.ask("DELETE", poolPath("members"));
    expect(opened.problems).toEqual([]);
  });

  it("brings a deleted pool back from its record", async () => {
    world.apply(poolOf("shop", "missed", [memberAt(0)]));
    world.ask("DELETE", poolPath("missed"));
    await using opened = await openPage(world, "operations?search=missed", ENGLISH);
    const { page } = opened;
    await page.getByText(/^2 of /).waitFor();
    await page
      .getByRole("button", { name: /^Changes: / })
      .first()
      .click();
    await page.getByRole("button", { name: "Bring it back" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
    await page.getByText("rolled back", { exact: true }).waitFor();
    expect((world.ask("GET", poolPath("missed")) as StoredPool).spec.members).toHaveLength(1);
    world.ask("DELETE", poolPath("missed"));
    expect(opened.problems).toEqual([]);
  });

  it("says that the connection is lost, and goes on by itself when it is back", async () => {
    await using opened = await openPage(world, "pools", ENGLISH);
    const { page } = opened;
    await page.getByText(/^\d+ pools$/).waitFor();
    await page.context().setOffline(true);
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await page.getByRole("searchbox").fill("web");
    await page.getByRole("alert").getByText("Connection lost").waitFor();
    await page.context().setOffline(false);
    await page.getByText(/^1 of \d+ pools$/).waitFor();
    await page.getByRole("alert").waitFor({ state: "detached" });
  });

  it("runs nothing that stands in names, labels, reasons or what members answer", async () => {
    world.apply(
      poolOf("shop", "hostile", [memberAt(0)], { metadata: { annotations: { [`parasaus.io/x`]: HOSTILE } } }),
    );
    for (const where of ["pools?search=shop", `pools?search=${encodeURIComponent(HOSTILE)}`]) {
      await using opened = await openPage(world, where, ENGLISH);
      await opened.page.getByText(/of \d+ pools/).waitFor();
      expect(await opened.page.title()).not.toBe("owned");
      expect(opened.problems).toEqual([]);
    }
    world.ask("DELETE", "/apis/parasaus.io/v1/namespaces/shop/pools/hostile");
  });

  it("lets no script into the page that is not the server's", async () => {
    await using opened = await openPage(world, "pools", ENGLISH);
    const { page, problems } = opened;
    await page.evaluate((markup) => {
      document.body.insertAdjacentHTML("beforeend", markup);
      const script = document.createElement("script");
      script.textContent = "document.title = 'owned'";
      document.body.append(script);
    }, HOSTILE);
    await expect
      .poll(() => problems.filter((text) => text.includes("Content Security Policy")).length)
      .toBeGreaterThan(1);
    expect(await page.title()).not.toBe("owned");
  });

  it("answers no page of another origin, neither a question nor a stream nor a form", () => {
    const asked = [
      ["GET", "/api/console/pools"],
      ["GET", "/api/console/pools?watch=true"],
      ["DELETE", "/apis/parasaus.io/v1/namespaces/shop/pools/web"],
      ["POST", "/apis/parasaus.io/v1/namespaces/shop/pools"],
    ] as const;
    for (const [method, where] of asked) {
      const answer = world.askFrom("http://evil.example", method, where);
      expect([method, where, answer.code]).toEqual([method, where, 403]);
      expect(answer.body).toContain("it is not this server's");
    }
    expect(world.askFrom(world.url, "GET", "/api/console/pools").code).toBe(200);
  });
});

/** As the clipboard does it, which the page itself has no right to read. */
async function paste(page: Page, text: string): Promise<void> {
  await page.evaluate((pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
    document.activeElement?.dispatchEvent(event);
  }, text);
}

async function pressUntilFocused(page: Page, key: string, wanted: Locator): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`40 times ${key} did not lead there`);
}

function poolPath(name: string): string {
  return `/apis/parasaus.io/v1/namespaces/shop/pools/${name}`;
}

interface StoredPool {
  readonly spec: { readonly members: readonly object[] };
  readonly status: { readonly members: readonly { readonly verdict: string }[] };
}
