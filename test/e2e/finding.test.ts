import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ConsoleWorld, poolOf } from "./console-world.ts";
import { missingForConsole, poolPath, startStockedConsole } from "./stocked-console.ts";
import { ENGLISH, openPage, pressUntilFocused } from "./watched-page.ts";

let world: ConsoleWorld;

describe.skipIf(missingForConsole)(`what the console finds and shows${missingForConsole}`, () => {
  beforeAll(async () => {
    world = await startStockedConsole();
  });
  afterAll(async () => world?.[Symbol.asyncDispose]());

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

  // How soon is measured: `npm run bench console`.
  it("shows a changed verdict to somebody who only looks", async () => {
    await using opened = await openPage(world, "pools?search=shop/web", ENGLISH);
    const { page } = opened;
    await page.getByText("2/3").waitFor();
    world.setWell("10.77.0.2", true);
    await page.getByText("3/3").waitFor();
    world.setWell("10.77.0.2", false);
    await page.getByText("2/3").waitFor();
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
});
