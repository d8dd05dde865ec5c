import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLIENT_SECRET } from "../lab/oidc-provider.ts";
import { type OidcWorld, type OidcWorldOptions, openOidcWorld } from "./oidc-world.ts";

const API = "/apis/parasaus.io/v1";
const SESSION = "__Host-parasaus";

describe("login by OIDC", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "parasaus-oidc-"));
  const secretFile = path.join(folder, "secret");
  writeFileSync(secretFile, `${CLIENT_SECRET}\n`);
  const open = (options: OidcWorldOptions) => openOidcWorld(secretFile, options);
  let world: OidcWorld;
  const makeAccount = (name: string, spec: object) =>
    world.accounts.call(world.accounts.owner, "POST", `${API}/accounts`, {
      ...{ apiVersion: "parasaus.io/v1", kind: "Account", metadata: { name }, spec },
    });
  const refusals = async () =>
    (await world.accounts.operations()).flatMap(({ spec: { verb, message = "" } }) =>
      verb === "refuse" && message.includes("OIDC") ? [message] : [],
    );
  const whoami = (cookie: string) => world.accounts.call({ cookie }, "GET", "/api/whoami");
  beforeAll(async () => {
    world = await open({ usernameClaim: "email" });
    await makeAccount("ann", { role: "admin", oidcName: "ann@example.com" });
    await makeAccount("dan", { role: "admin", oidcName: "dan@example.com", disabled: true });
    for (const name of ["tom", "tim"])
      await makeAccount(name, { role: "viewer", oidcName: "twin@example.com" });
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  /** The session's cookie after a login as this person; empty: there is none. */
  async function sessionOf(person: string) {
    const { url } = world.accounts.controlPlane;
    const browser = world.browser();
    const page = await world.login(browser, person);
    const session = browser.cookiesFor(url)[SESSION];
    return { page, cookie: session === undefined ? "" : `${SESSION}=${session}` };
  }

  it("says to anybody that there is one", async () => {
    const { status, body } = await world.accounts.call({}, "GET", "/api/login");
    expect([status, body]).toEqual([200, { oidc: true }]);
  });

  it("lets the account in that the provider's name belongs to, into a session like any other", async () => {
    const { page, cookie } = await sessionOf("ann");
    expect(page.visited.at(-1)).toBe(`${world.accounts.controlPlane.url}/console/`);
    expect((await whoami(cookie)).body).toMatchObject({ kind: "account", name: "ann", role: "admin" });
    const logins = (await world.accounts.operations()).filter(({ spec }) => spec.verb === "login");
    expect(logins.map(({ spec }) => [spec.operator, spec.message])).toEqual([["ann", "by OIDC"]]);
    // It ends with the account's next change, as all do.
    const patch = { spec: { displayName: "Ann" } };
    const type = "application/merge-patch+json";
    await world.accounts.call(world.accounts.owner, "PATCH", `${API}/accounts/ann`, patch, type);
    expect((await whoami(cookie)).status).toBe(401);
  });

  it.each([
    ["eve", 'the name "eve@example.com" is no account\'s'],
    ["dan", "is that of a disabled account"],
    ["twin", "is that of two accounts"],
  ])(
    "lets %s not in, leads back to the login page, and leaves one record that says why",
    async (person, why) => {
      const before = (await refusals()).length;
      const { page, cookie } = await sessionOf(person);
      expect(cookie).toBe("");
      expect(page.visited.at(-1)).toContain("/console/login?oidc=refused");
      const after = await refusals();
      expect(after).toHaveLength(before + 1);
      expect(after.at(-1)).toContain(why);
    },
  );

  it("believes no answer that this browser did not ask for", async () => {
    const { url } = world.accounts.controlPlane;
    const [victim, attacker] = [world.browser(), world.browser()];
    const answers = (await world.login(attacker, "ann")).visited;
    const answer = answers.find((each) => each.includes("/api/oidc/callback?")) ?? "";
    expect(answer).toContain("code=");
    // Another browser, which began nothing; then one that began a login of its own.
    expect((await victim.visit(answer)).visited.at(-1)).toContain("oidc=refused");
    const other = world.browser();
    await other.visit(`${url}/api/oidc/login`);
    expect(Object.keys(other.cookiesFor(url))).toEqual(["__Host-parasaus-oidc"]);
    expect((await other.visit(answer)).visited.at(-1)).toContain("oidc=refused");
    for (const browser of [victim, other]) expect(browser.cookiesFor(url)[SESSION]).toBeUndefined();
    // The attacker's own came in with it: a code is good once, and the answer was one.
    expect(attacker.cookiesFor(url)[SESSION]).toBeDefined();
    expect((await attacker.visit(answer)).visited.at(-1)).toContain("oidc=refused");
  });

  it("believes no e-mail address that the provider has not verified", async () => {
    await using careless = await open({ usernameClaim: "email", claims: { email_verified: false } });
    const { owner, call, controlPlane } = careless.accounts;
    const spec = { oidcName: "ann@example.com", role: "admin" };
    await call(owner, "POST", `${API}/accounts`, {
      ...{ apiVersion: "parasaus.io/v1", kind: "Account", metadata: { name: "ann" }, spec },
    });
    const browser = careless.browser();
    const page = await careless.login(browser, "ann");
    expect(page.visited.at(-1)).toContain("oidc=refused");
    expect(browser.cookiesFor(controlPlane.url)[SESSION]).toBeUndefined();
  });

  it("says that the provider does not answer, and lets passwords in meanwhile", async () => {
    await using lonely = await open({ usernameClaim: "sub" });
    const { accounts } = lonely;
    await accounts.makeAccount("bob", "viewer");
    await lonely.stopProvider();
    const page = await lonely.browser().visit(`${accounts.controlPlane.url}/api/oidc/login`);
    expect(page.visited.at(-1)).toContain("/console/login?oidc=unavailable");
    expect((await accounts.login("bob")).cookie["cookie"]).toContain(SESSION);
  });
});
