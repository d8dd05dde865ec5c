import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { createOidcProvider } from "../lab/oidc-provider.ts";
import { type AccountWorld, openAccountWorld } from "./account-world.ts";

/** A control plane whose accounts may log in at a provider of their own, both in this process. */
export interface OidcWorld extends AsyncDisposable {
  readonly accounts: AccountWorld;
  readonly issuerUrl: string;
  browser(): Browser;
  stopProvider(): Promise<void>;
  /** As `Browser.visit` to the login does, and all that a person does there. */
  login(browser: Browser, person: string): Promise<Page>;
}

/** What a browser shows in the end. */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly text: string;
  /** Where it was led on the way. */
  readonly visited: readonly string[];
}

/** Follows redirects, and keeps cookies of each origin. */
export interface Browser {
  visit(url: string, form?: Readonly<Record<string, string>>): Promise<Page>;
  /** The cookies that this origin gets. */
  cookiesFor(url: string): Readonly<Record<string, string>>;
}

/** What the provider says of a person. */
export interface OidcWorldOptions {
  readonly usernameClaim: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Opens both; the provider is real, its persons prove themselves with any password. */
export async function openOidcWorld(
  secretFile: string,
  { usernameClaim, claims = {} }: OidcWorldOptions,
): Promise<OidcWorld> {
  let answer: RequestListener = (_request, response) => response.end();
  const http = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const issuerUrl = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const accounts = await openAccountWorld({
    ...{ oidcIssuerUrl: issuerUrl, oidcClientId: "parasaus", oidcUsernameClaim: usernameClaim },
    oidcClientSecretFile: secretFile,
  });
  const { url } = accounts.controlPlane;
  const provider = createOidcProvider(issuerUrl, `${url}/api/oidc/callback`, claims);
  answer = provider.callback();
  const world: OidcWorld = {
    ...{ accounts, issuerUrl, browser: openBrowser },
    async login(browser, person) {
      let page = await browser.visit(`${url}/api/oidc/login`);
      while (page.text.includes("<form")) {
        const [, action = ""] = /action="([^"]+)"/.exec(page.text) ?? [];
        const [, prompt = ""] = /name="prompt" value="([^"]+)"/.exec(page.text) ?? [];
        const typed = { prompt, login: person, password: "any" };
        page = joined(page, await browser.visit(new URL(action, page.url).href, typed));
      }
      return page;
    },
    async stopProvider() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
    async [Symbol.asyncDispose]() {
      await accounts[Symbol.asyncDispose]();
      await world.stopProvider();
    },
  };
  return world;
}

function joined(before: Page, after: Page): Page {
  return { ...after, visited: [...before.visited, ...after.visited] };
}

function openBrowser(): Browser {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: string) => {
    const { origin } = new URL(url);
    const jar = jars.get(origin) ?? new Map<string, string>();
    jars.set(origin, jar);
    return jar;
  };
  const keep = (url: string, header: string) => {
    const [pair = ""] = header.split(";");
    const [name = "", value = ""] = pair.split(/=(.*)/s);
    if (/max-age=0/i.test(header) || value === "") jarOf(url).delete(name);
    else jarOf(url).set(name, value);
  };
  const ask = async (url: string, form: Readonly<Record<string, string>> | undefined) => {
    const cookie = [...jarOf(url)].map(([name, value]) => `${name}=${value}`).join("; ");
    const body = form && new URLSearchParams(form);
    const sent = body === undefined ? {} : { method: "POST", body };
    const answer = await fetch(url, { ...sent, headers: { cookie }, redirect: "manual" });
    for (const header of answer.headers.getSetCookie()) keep(url, header);
    return answer;
  };
  const browser: Browser = {
    async visit(first, form) {
      const visited = [first];
      let [url, answer] = [first, await ask(first, form)];
      for (;;) {
        const location = answer.headers.get("location");
        if (location === null) return { url, status: answer.status, text: await answer.text(), visited };
        url = new URL(location, url).href;
        visited.push(url);
        answer = await ask(url, undefined);
      }
    },
    cookiesFor: (url) => Object.fromEntries(jarOf(url)),
  };
  return browser;
}
