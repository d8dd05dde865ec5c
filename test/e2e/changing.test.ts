import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ConsoleWorld, memberAt, poolOf } from "./console-world.ts";
import {
  missingForConsole,
  poolPath,
  type StoredPool,
  startStockedConsole,
  verdictsStored,
} from "./stocked-console.ts";
import { CHINESE_WIDE, ENGLISH, openPage, pressUntilFocused, untilTitled } from "./watched-page.ts";

const MADE_HERE = `kind: Pool
apiVersion: parasaus.io/v1
metadata: {name: made-here, namespace: default}
spec:
  members: [{ip: 10.77.0.1, port: 80}]
`;

let world: ConsoleWorld;

describe.skipIf(missingForConsole)(`what the console changes${missingForConsole}`, () => {
  beforeAll(async () => {
    world = await startStockedConsole();
  });
  afterAll(async () => world?.[Symbol.asyncDispose]());

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
    expect(await opened.violations()).toEqual([]);
    await opened.photograph("pool-actions");
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
    await untilTitled(page, "default/made-here");
    expect(opened.problems.filter((text) => !text.includes("422"))).toEqual([]);
    world.ask("DELETE", "/apis/parasaus.io/v1/namespaces/default/pools/made-here");
  });

  it("shows before saving what a change does to traffic, and saves it with what is then known", async () => {
    world.apply(poolOf("shop", "planned", [memberAt(0), memberAt(2)]));
    await verdictsStored(world, "planned", "up");
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
    await untilTitled(page, "shop/planned");
    const { spec } = world.ask("GET", poolPath("planned")) as StoredPool;
    expect(spec.members[0]).toMatchObject({ state: "drain" });
    world.ask("DELETE", poolPath("planned"));
    expect(opened.problems).toEqual([]);
  });

  it("changes a pool that a Service owns through it and its Endpoints, in the same form", async () => {
    const metadata = { name: "svc", namespace: "shop", annotations: { healthCheckType: "tcp" } };
    const ports = [{ name: "http", port: 80, nodePort: 30_901 }];
    world.apply(
      { apiVersion: "v1", kind: "Service", metadata, spec: { type: "NodePort", ports } },
      {
        ...{ apiVersion: "v1", kind: "Endpoints", metadata },
        subsets: [{ addresses: [{ ip: "10.77.0.1" }], ports: [{ name: "http", port: 80 }] }],
      },
    );
    await verdictsStored(world, "svc", "up");
    await using opened = await openPage(world, "pools/shop/svc/edit", ENGLISH);
    const { page } = opened;
    await page.getByText("Made from the Service svc").waitFor();
    await page.getByLabel("Port (empty: any free one)").fill("30902");
    await page.getByLabel("Interval").fill("3s");
    await page.getByRole("button", { name: "Add a member" }).click();
    const line = page.getByRole("group", { name: "Member 2" });
    await line.getByLabel("IP").fill("10.77.0.3");
    await line.getByLabel("Port").fill("80");
    await page.getByRole("button", { name: "Review and save" }).click();
    const dialog = page.getByRole("dialog", { name: "Review and save" });
    for (const heading of ["Pool shop/svc", "Service shop/svc", "Endpoints shop/svc"])
      await dialog.getByRole("heading", { name: heading }).waitFor();
    await dialog.getByText("*:30901/TCP").waitFor();
    expect(await opened.violations()).toEqual([]);
    await opened.photograph("plan-service");
    await dialog.getByRole("button", { name: "Save" }).click();
    await untilTitled(page, "shop/svc");
    const core = "/api/v1/namespaces/shop";
    expect(world.ask("GET", `${core}/services/svc`)).toMatchObject({
      spec: { ports: [{ nodePort: 30_902 }] },
    });
    expect(world.ask("GET", `${core}/endpoints/svc`)).toMatchObject({
      subsets: [{ addresses: [{ ip: "10.77.0.1" }, { ip: "10.77.0.3" }] }],
    });
    await page.getByText("10.77.0.3:80").first().waitFor();
    expect(world.ask("GET", poolPath("svc"))).toMatchObject({
      spec: { port: 30_902, healthCheck: { interval: "3s" } },
    });
    world.ask("DELETE", `${core}/services/svc`);
    world.ask("DELETE", `${core}/endpoints/svc`);
    expect(opened.problems).toEqual([]);
  });

  it("saves although a verdict came meanwhile, and not over what somebody else did", async () => {
    world.apply(poolOf("shop", "raced", [memberAt(0)]));
    await verdictsStored(world, "raced", "up");
    await using opened = await openPage(world, "pools/shop/raced/edit", ENGLISH);
    const { page } = opened;
    await page.getByLabel("Drain time (seconds)").fill("41");
    world.setWell("10.77.0.1", false);
    try {
      await verdictsStored(world, "raced", "down");
    } finally {
      world.setWell("10.77.0.1", true);
    }
    const save = async () => {
      await page.getByRole("button", { name: "Review and save" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    };
    await save();
    await untilTitled(page, "shop/raced");
    expect(world.ask("GET", poolPath("raced"))).toMatchObject({ spec: { drainSeconds: 41 } });
    await page.goto(`${world.url}/console/pools/shop/raced/edit`);
    await page.getByLabel("Drain time (seconds)").fill("42");
    world.apply(poolOf("shop", "raced", [memberAt(0)], { drainSeconds: 43 }));
    await save();
    await page
      .getByRole("dialog")
      .getByText(/somebody has changed it/)
      .waitFor();
    expect(world.ask("GET", poolPath("raced"))).toMatchObject({ spec: { drainSeconds: 43 } });
    world.ask("DELETE", poolPath("raced"));
    expect(opened.problems.filter((text) => !text.includes("412"))).toEqual([]);
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

  it("rolls a pool back from the list, after it showed what that changes", async () => {
    world.apply(poolOf("shop", "listed", [memberAt(0)], { drainSeconds: 11 }));
    world.apply(poolOf("shop", "listed", [memberAt(0)], { drainSeconds: 22 }));
    await using opened = await openPage(world, "pools?search=listed", ENGLISH);
    const { page } = opened;
    await page.getByRole("button", { name: "Actions on shop/listed" }).click();
    await page.getByRole("menuitem", { name: "Roll back" }).click();
    const dialog = page.getByRole("dialog", { name: "Roll back shop/listed?" });
    await dialog.getByText("spec.drainSeconds", { exact: true }).waitFor();
    expect(await opened.violations()).toEqual([]);
    await opened.photograph("pool-rollback");
    await dialog.getByRole("button", { name: "Roll back" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(world.ask("GET", poolPath("listed"))).toMatchObject({ spec: { drainSeconds: 11 } });
    world.ask("DELETE", poolPath("listed"));
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
