import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { loadConfiguration } from "../../src/configuration/index.ts";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import type { Operation, Role } from "../../src/model/index.ts";
import { type ControlPlane, startControlPlane } from "../../src/server/control-plane.ts";

/** What a request shows of who asks. */
export type Shown = Readonly<Record<string, string>>;

/** An answer, parsed where it is JSON. */
export interface Answered {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}

/** A browser's session: its cookie and what its pages repeat. */
export interface BrowserSession {
  readonly cookie: Shown;
  readonly csrf: Shown;
}

/** A control plane with accounts, in this process. */
export interface AccountWorld extends AsyncDisposable {
  readonly controlPlane: ControlPlane;
  readonly directory: string;
  /** The owner of the server. */
  readonly owner: Shown;
  call(shown: Shown, method: string, route: string, body?: unknown, type?: string): Promise<Answered>;
  /** Makes an account with a password. */
  makeAccount(name: string, role?: Role, namespace?: string): Promise<void>;
  login(name: string, password?: string): Promise<BrowserSession>;
  /** As the command line does it. */
  loginForToken(name: string): Promise<Shown>;
  operations(): Promise<readonly Operation[]>;
}

export const PASSWORD = "correct horse battery";
const API = "/apis/parasaus.io/v1";

/** A control plane over an embedded store, with further settings. */
export async function openAccountWorld(
  options: Readonly<Record<string, string>> = {},
): Promise<AccountWorld> {
  const directory = mkdtempSync(path.join(tmpdir(), "parasaus-accounts-"));
  const flags = {
    ...{ listen: "127.0.0.1:0", dataDir: directory, autoCreateNamespaces: "true" },
    ...options,
  };
  const around = { program: "server" as const, isRoot: false, homeDirectory: directory, hostname: "lb-1" };
  const { values: configuration } = loadConfiguration({ flags, environment: {}, around });
  const surroundings = { configuration, log: silentLogger, clock: systemClock, random: Math.random };
  const controlPlane = await startControlPlane(surroundings, new AbortController().signal);
  const owner = { authorization: `Bearer ${controlPlane.operatorToken}` };
  const call: AccountWorld["call"] = async (shown, method, route, body, type = "application/json") => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const headers = { ...shown, ...(body === undefined ? {} : { "content-type": type }) };
    const answer = await fetch(`${controlPlane.url}${route}`, { method, headers, ...sent });
    const text = await answer.text();
    return { status: answer.status, body: parse(text), headers: answer.headers };
  };
  const must = async (...asked: Parameters<typeof call>) => {
    const answer = await call(...asked);
    if (answer.status >= 300) throw new Error(`${asked[2]}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  };
  return {
    ...{ controlPlane, directory, owner, call },
    async makeAccount(name, role, namespace) {
      const spec = role !== undefined && namespace === undefined ? { role } : {};
      const kind = (each: string, metadata: object, more: object) => ({
        ...{ apiVersion: "parasaus.io/v1", kind: each, metadata, spec: more },
      });
      await must(owner, "POST", `${API}/accounts`, kind("Account", { name }, spec));
      await must(owner, "POST", `/api/accounts/${name}/password`, { password: PASSWORD });
      if (role === undefined || namespace === undefined) return;
      const binding = kind("RoleBinding", { name: `${name}.${role}`, namespace }, { role, accounts: [name] });
      await must(owner, "POST", `${API}/namespaces/${namespace}/rolebindings`, binding);
    },
    async login(name, password = PASSWORD) {
      const { headers, body } = await must({}, "POST", "/api/login", { name, password });
      const cookie = (headers.get("set-cookie") ?? "").replace(/;.*$/s, "");
      return { cookie: { cookie }, csrf: { cookie, "x-csrf-token": String(body["csrfToken"]) } };
    },
    async loginForToken(name) {
      const { body } = await must({}, "POST", "/api/login", { name, password: PASSWORD, as: "token" });
      return { authorization: `Bearer ${body["token"]}` };
    },
    async operations() {
      const { body } = await must(owner, "GET", `${API}/operations`);
      return body["items"] as readonly Operation[];
    },
    async [Symbol.asyncDispose]() {
      await controlPlane[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true });
    },
  };
}

/** One with a namespace `shop`, and with who may change it and who may look at it. */
export interface ShopWorld {
  readonly world: AccountWorld;
  /** Operator in `shop`. */
  readonly olga: Shown;
  /** Viewer in `shop`. */
  readonly vic: Shown;
}

/** Opens it. */
export async function openShopWorld(): Promise<ShopWorld> {
  const world = await openAccountWorld();
  await world.makeAccount("olga", "operator", "shop");
  await world.makeAccount("vic", "viewer", "shop");
  return { world, olga: await world.loginForToken("olga"), vic: await world.loginForToken("vic") };
}

/** How long what follows by itself may take, milliseconds, for `expect.poll`. */
export const PATIENCE = { timeout: 20_000, interval: 50 };

/** The body of an answer that is no refusal; the tests of the API hold it to the schema. */
export function bodyAs<Kind>(body: unknown): Kind {
  return body as Kind;
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text);
  } catch {
    return { text };
  }
}
