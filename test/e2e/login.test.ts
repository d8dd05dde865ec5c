import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildProgram } from "../scenario/program.ts";
import { type ConsoleWorld, startConsoleWorld } from "./console-world.ts";
import { missingForConsole } from "./stocked-console.ts";
import { CHINESE, ENGLISH, openPage, untilTitled } from "./watched-page.ts";

const PASSWORD = "correct horse battery staple";
const NEXT_PASSWORD = "another horse battery staple";

let world: ConsoleWorld;

describe.skipIf(missingForConsole)(`console with accounts${missingForConsole}`, () => {
  beforeAll(async () => {
    buildProgram();
    world = await startConsoleWorld();
  });
  afterAll(async () => world?.[Symbol.asyncDispose]());

  it("makes the first administrator by the printed code, lets him change things, and out again", async () => {
    const code = /First code\s+(\S+)/.exec(world.printed())?.[1] ?? "";
    await using opened = await openPage(world, "pools", ENGLISH);
    const { page } = opened;
    await untilTitled(page, "Log in");
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
    await untilTitled(page, "default/mine");
    await page.getByText("boss", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Log out" }).click();
    await untilTitled(page, "Log in");
    expect(await page.evaluate(async () => (await fetch("/api/console/pools")).status)).toBe(401);
  });

  it("lets somebody in who may change one namespace, sees that one alone, and is let in no more when disabled", async () => {
    await using opened = await openPage(world, "accounts", ENGLISH);
    const { page } = opened;
    await logIn(page, "boss", PASSWORD);
    await page.getByRole("heading", { name: "You: boss" }).waitFor();
    await page.getByRole("button", { name: "New account" }).click();
    const dialog = page.getByRole("dialog", { name: "New account" });
    await dialog.getByLabel("Name", { exact: false }).first().fill("olga");
    await dialog.getByRole("button", { name: "Generate" }).click();
    const password = await dialog.getByRole("textbox", { name: "New password" }).inputValue();
    expect(password).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
    await dialog.getByRole("button", { name: "Add a namespace" }).click();
    const line = dialog.getByRole("group", { name: "Role 1" });
    await line.getByLabel("Namespace").fill("default");
    await line.getByLabel("Role", { exact: true }).selectOption("viewer");
    await opened.photograph("new-account");
    expect(await opened.violations()).toEqual([]);
    await dialog.getByRole("button", { name: "Create" }).click();
    await page.getByText("Viewer in default").waitFor();
    expect(await opened.violations()).toEqual([]);
    await opened.photograph("accounts");

    await using other = await openPage(world, "pools", ENGLISH);
    await logIn(other.page, "olga", password);
    await other.page.getByText("1 pool", { exact: true }).waitFor();
    expect(await other.page.getByRole("link", { name: "Nodes" }).count()).toBe(0);
    expect(await other.page.getByRole("link", { name: "New pool" }).count()).toBe(0);

    await actOn(page, "olga", "Roles");
    const roles = page.getByRole("dialog", { name: "Roles of olga" });
    await roles
      .getByRole("group", { name: "Role 1" })
      .getByLabel("Role", { exact: true })
      .selectOption("operator");
    await roles.getByRole("button", { name: "Save" }).click();
    await page.getByText("Operator in default").waitFor();
    await other.page.reload();
    await other.page.getByRole("link", { name: "New pool" }).waitFor();

    await actOn(page, "olga", "Disable");
    await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
    await page.getByText("Disabled").waitFor();
    await untilTitled(other.page, "Log in");
    expect(opened.problems.filter(isUnexpected)).toEqual([]);
  });

  it("shows a token once, which asks the API until it is revoked", async () => {
    await using opened = await openPage(world, "accounts", ENGLISH);
    const { page } = opened;
    await logIn(page, "boss", PASSWORD);
    await page.getByRole("button", { name: "New token" }).first().click();
    const dialog = page.getByRole("dialog", { name: "New token" });
    await dialog.getByLabel("Name", { exact: false }).first().fill("deploy");
    await dialog.getByLabel("May do at most").selectOption("viewer");
    await dialog.getByRole("button", { name: "Create" }).click();
    const shown = page.getByRole("dialog", { name: "The token is made" });
    const token = await shown.getByLabel("Token", { exact: true }).inputValue();
    expect(await opened.violations()).toEqual([]);
    await shown.getByRole("button", { name: "Close" }).last().click();
    await page.getByText("at most Viewer").waitFor();
    expect(await page.content()).not.toContain(token);
    const status = () => world.askWith(token, "/api/console/pools").code;
    expect(status()).toBe(200);
    await page.getByRole("button", { name: "Revoke boss.deploy" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByText("There are no tokens.").waitFor();
    await expect.poll(status).toBe(401);
    expect(opened.problems.filter(isUnexpected)).toEqual([]);
  });

  it("changes the own password, after which one logs in anew", async () => {
    await using opened = await openPage(world, "accounts", CHINESE);
    const { page } = opened;
    await logIn(page, "boss", PASSWORD);
    await page.getByRole("button", { name: "修改密码" }).click();
    const dialog = page.getByRole("dialog", { name: "修改密码" });
    await dialog.getByRole("textbox", { name: "当前密码" }).fill(PASSWORD);
    await dialog.getByRole("textbox", { name: "新密码" }).fill(NEXT_PASSWORD);
    expect(await opened.violations()).toEqual([]);
    await opened.photograph("password");
    await dialog.getByRole("button", { name: "修改密码" }).click();
    await untilTitled(page, "登录");
    await logIn(page, "boss", NEXT_PASSWORD);
    await page.getByRole("heading", { name: "您：boss" }).waitFor();
    await opened.photograph("accounts");
    expect(await opened.violations()).toEqual([]);
  });

  it("says so when the password is wrong, and stays where it is", async () => {
    await using opened = await openPage(world, "pools", CHINESE);
    const { page } = opened;
    await page.getByLabel("用户名").fill("boss");
    await page.getByRole("textbox", { name: "密码" }).fill("wrong password, this");
    await page.getByRole("button", { name: "登录", exact: true }).click();
    await page.getByRole("alert").waitFor();
    await opened.photograph("login");
    expect(await opened.violations()).toEqual([]);
  });
});

async function logIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByRole("textbox", { name: /^(Name|用户名)/ }).fill(name);
  await page.getByRole("textbox", { name: /^(Password|密码)/ }).fill(password);
  await page.getByRole("button", { name: /^(Log in|登录)$/ }).click();
}

async function actOn(page: Page, name: string, action: string): Promise<void> {
  await page.getByRole("button", { name: `Actions on ${name}` }).click();
  await page.getByRole("menuitem", { name: action, exact: true }).click();
}

/** Before one has logged in the server refuses everything, which the browser notes. */
function isUnexpected(problem: string): boolean {
  return !problem.includes("status of 401");
}
