import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canMakeNamespaces } from "../lab/namespaces.ts";
import { buildProgram } from "../scenario/program.ts";
import { type ConsoleWorld, hasChromium, startConsoleWorld } from "./console-world.ts";
import { openPage } from "./watched-page.ts";

const PASSWORD = "correct horse battery staple";

let world: ConsoleWorld;

describe.skipIf(!canMakeNamespaces() || !hasChromium())("console with accounts", () => {
  beforeAll(async () => {
    buildProgram();
    world = await startConsoleWorld();
  });
  afterAll(async () => world?.[Symbol.asyncDispose]());

  it("makes the first administrator by the printed code, lets him change things, and out again", async () => {
    const code = /First code\s+(\S+)/.exec(world.printed())?.[1] ?? "";
    await using opened = await openPage(world, "pools", {
      language: "en",
      colorScheme: "light",
      width: 1280,
    });
    const { page } = opened;
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    expect(await opened.violations()).toEqual([]);
    await opened.photograph("login");
    await page.getByRole("button", { name: "First administrator" }).click();
    await page.getByLabel("One-time code").fill(code);
    await page.getByLabel("Name").fill("boss");
    await page.getByRole("textbox", { name: "Password" }).fill(PASSWORD);
    await page.getByRole("button", { name: "Create the account and log in" }).click();
    await page.getByRole("link", { name: "New pool" }).click();
    await page.getByLabel("Name", { exact: true }).fill("mine");
    await page.getByRole("button", { name: "Review and save" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "default/mine" }).waitFor();
    await page.getByText("boss", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    expect(await page.evaluate(async () => (await fetch("/api/console/pools")).status)).toBe(401);
  });

  it("says so when the password is wrong, and stays where it is", async () => {
    await using opened = await openPage(world, "pools", {
      language: "zh-CN",
      colorScheme: "dark",
      width: 390,
    });
    const { page } = opened;
    await page.getByLabel("用户名").fill("boss");
    await page.getByRole("textbox", { name: "密码" }).fill("wrong password, this");
    await page.getByRole("button", { name: "登录", exact: true }).click();
    await page.getByRole("alert").waitFor();
    await opened.photograph("login");
    expect(await opened.violations()).toEqual([]);
  });
});
