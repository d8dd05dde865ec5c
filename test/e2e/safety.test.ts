import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ConsoleWorld, memberAt, poolOf } from "./console-world.ts";
import { HOSTILE, missingForConsole, startStockedConsole } from "./stocked-console.ts";
import { ENGLISH, openPage } from "./watched-page.ts";

let world: ConsoleWorld;

describe.skipIf(missingForConsole)(`safety of the console${missingForConsole}`, () => {
  beforeAll(async () => {
    world = await startStockedConsole();
  });
  afterAll(async () => world?.[Symbol.asyncDispose]());

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
