import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLIENT_SECRET } from "../lab/oidc-provider.ts";
import { buildProgram } from "../scenario/program.ts";
import { type ConsoleWorld, startConsoleWorld } from "./console-world.ts";
import { missingForConsole } from "./stocked-console.ts";
import { CHINESE, ENGLISH, openPage, untilTitled, type WatchedPage } from "./watched-page.ts";

// For a browser another site than the console, which is at 127.0.0.1.
const ISSUER = "http://localhost:9000";

describe.skipIf(missingForConsole)(`console with login by OIDC${missingForConsole}`, () => {
  const folder = mkdtempSync(path.join(tmpdir(), "parasaus-oidc-"));
  let world: ConsoleWorld;
  beforeAll(async () => {
    buildProgram();
    const secret = path.join(folder, "secret");
    writeFileSync(secret, CLIENT_SECRET);
    const client = ["--oidc-client-id", "parasaus", "--oidc-client-secret-file", secret];
    world = await startConsoleWorld("--oidc-issuer-url", ISSUER, ...client);
    const words = [ISSUER, `${world.url}/api/oidc/callback`];
    await world.startBeside("test/e2e/oidc-program.ts", words, `${ISSUER}/.well-known/openid-configuration`);
    const metadata = { name: "eve" };
    const spec = { role: "viewer", oidcName: "evelyn" };
    world.apply({ apiVersion: "parasaus.io/v1", kind: "Account", metadata, spec });
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  /** Goes from the login page to the provider, proves there to be somebody, and comes back. */
  async function comeInAs({ page }: WatchedPage, person: string, button: string) {
    await page.getByRole("link", { name: button }).click();
    await page.getByPlaceholder("Enter any login").fill(person);
    await page.getByPlaceholder("and password").fill("any");
    await page.getByRole("button", { name: "Sign-in" }).click();
    await page.getByRole("button", { name: "Continue" }).click();
  }

  it("lets an account in by its person at the provider, who comes from another site", async () => {
    await using opened = await openPage(world, "pools", ENGLISH);
    const { page } = opened;
    await page.getByRole("link", { name: "Log in with your organization" }).waitFor();
    expect(await opened.violations()).toEqual([]);
    await opened.photograph("login-oidc");
    await comeInAs(opened, "evelyn", "Log in with your organization");
    await untilTitled(page, "Pools");
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByText("Logged in as eve").waitFor();
  });

  it("tells who is let in by no account, in Chinese too", async () => {
    await using opened = await openPage(world, "pools", CHINESE);
    const { page } = opened;
    await comeInAs(opened, "mallory", "使用单位账号登录");
    await page.getByRole("alert").getByText("没有账号对应").waitFor();
    expect(await opened.violations()).toEqual([]);
    await opened.photograph("login-oidc-refused");
    expect(await page.evaluate(async () => (await fetch("/api/whoami")).status)).toBe(401);
  });
});
