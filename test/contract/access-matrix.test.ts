import { afterAll, beforeAll, expect, it } from "vitest";
import { ROLES, type Role } from "../../src/model/index.ts";
import { type AccountWorld, openAccountWorld, type Shown } from "./account-world.ts";

const AT_ONCE = 8;
const TIMEOUT_MS = 600_000;
const NAMESPACES = ["shop", "bank"] as const;
type Place = "everywhere" | "shop";

/** Somebody who asks. */
interface Asker {
  readonly name: string;
  readonly shown: Shown;
  readonly role?: Role;
  readonly place?: Place;
}

/** One cell: a route of the router, its parameters filled in. */
interface Cell {
  readonly asker: Asker;
  readonly route: string;
  readonly namespace: string;
  readonly isOwn: boolean;
}

let world: AccountWorld;
let askers: readonly Asker[];

beforeAll(async () => {
  world = await openAccountWorld();
  const made: Asker[] = [{ name: "", shown: {} }];
  const make = async (name: string, role?: Role, place?: Place) => {
    await world.makeAccount(name, role, place === "shop" ? "shop" : undefined);
    const asker = { name, shown: await world.loginForToken(name) };
    made.push({ ...asker, ...(role && place ? { role, place } : {}) });
  };
  await make("nobody");
  for (const role of ROLES) {
    await make(`${role}-shop`, role, "shop");
    await make(`${role}-all`, role, "everywhere");
  }
  askers = made;
}, TIMEOUT_MS);
afterAll(() => world[Symbol.asyncDispose]());

const isAtLeast = (role: Role | undefined, wanted: Role) =>
  role !== undefined && ROLES.indexOf(role) <= ROLES.indexOf(wanted);

/** The role that counts: in the namespace of the route, or everywhere. */
function roleOf({ asker, route, namespace }: Cell): Role | undefined {
  if (asker.place === "everywhere") return asker.role;
  return route.includes(":namespace") && namespace === asker.place ? asker.role : undefined;
}

const OPEN =
  /^(GET|HEAD) \/(livez|readyz|healthz|console\/\*)$|^GET \/(console)?$|^GET \/internal\/v1\/authority$|^POST \/(internal\/v1\/enrolments|api\/(login|first-administrator))$|^GET \/api\/(login|oidc\/(login|callback))$/;
const KNOWN =
  /^GET \/(version|api|apis|openapi\/.*|api\/v1|apis\/parasaus\.io(\/v1)?|api\/(whoami|openapi\.json|docs|confirmations|operations|history|last-operations|tokens|console\/(pools|overview|health|accounts|operations(\/:name)?)))$|^(GET|PUT|DELETE) \/api\/objects\/|^POST \/api\/(logout|plan|apply|confirmations\/:id|rollback|password|tokens)$/;
const READ_EVERYWHERE =
  /^GET \/(metrics|api\/console\/(nodes|addresses(\/:name)?)|internal\/v1\/(agents|servers))$|^POST \/internal\/v1\/explain$/;
const OF_A_POOL =
  /^GET \/(internal\/v1\/pools\/:namespace\/:name\/traffic|api\/console\/pools\/:namespace\/:name)$/;
const PROBE = "POST /api/console/pools/:namespace/:name/probe";
const ADMINISTER =
  /^GET \/internal\/v1\/backup$|^POST \/(internal\/v1\/(tokens|nodes\/:node\/revocation)|api\/accounts\/:name\/password)$/;
const KIND = /^(\w+) \/apis?\/(?:parasaus\.io\/)?v1\/(namespaces\/:namespace\/)?(\w+)(\/:name)?(\/status)?$/;
const BALANCED = ["pools", "services", "endpoints"];
const READ_ONLY = ["operations", "events"];

/** The role that a route of no kind of object takes. */
function roleFor(route: string): Role | undefined {
  if (OF_A_POOL.test(route) || READ_EVERYWHERE.test(route)) return "viewer";
  if (route === PROBE) return "operator";
  return ADMINISTER.test(route) ? "admin" : undefined;
}

/** What is meant, written down once more: whether who asks may. */
function isMeant(cell: Cell): boolean {
  const { asker, route } = cell;
  if (OPEN.test(route)) return true;
  if (asker.name === "") return false;
  if (KNOWN.test(route)) return true;
  const role = roleOf(cell);
  const needed = roleFor(route);
  if (needed) return isAtLeast(role, needed);
  const [, method = "", inNamespace, plural = "", name, status] = KIND.exec(route) ?? [];
  // A path that serves no such method is refused to everybody but the owner.
  if (!isServed(method, { plural, name, status, inNamespace })) return false;
  if (name && cell.isOwn && isOnesOwn(method, plural)) return true;
  if (method !== "GET" && READ_ONLY.includes(plural)) return false;
  return isAtLeast(role, neededFor(method, plural, status));
}

function isOnesOwn(method: string, plural: string): boolean {
  if (plural === "accounts") return method === "GET";
  return plural === "apitokens" && ["GET", "DELETE"].includes(method);
}

function neededFor(method: string, plural: string, status: string | undefined): Role {
  if (["accounts", "apitokens", "rolebindings"].includes(plural)) return "admin";
  if (method === "GET") return "viewer";
  return BALANCED.includes(plural) && !status ? "operator" : "admin";
}

interface PathParts {
  readonly plural: string;
  readonly name: string | undefined;
  readonly status: string | undefined;
  readonly inNamespace: string | undefined;
}

function isServed(method: string, { plural, name, status, inNamespace }: PathParts): boolean {
  if (plural === "") return false;
  const isNamespaced = [...BALANCED, "events", "rolebindings"].includes(plural);
  if (isNamespaced && !inNamespace) return method === "GET";
  if (status) return ["GET", "PUT", "PATCH"].includes(method);
  return (name ? ["GET", "PUT", "PATCH", "DELETE"] : ["GET", "POST", "DELETE"]).includes(method);
}

/** A namespace that may never be deleted is no matter of who asks. */
function isRefusal({ name }: Asker, status: number, body: Readonly<Record<string, unknown>>): boolean {
  if (name === "") return status === 401;
  return status === 403 && String(body["message"]).includes(`the account "${name}"`);
}

function cellsOf(routes: readonly string[]): readonly Cell[] {
  return askers.flatMap((asker) =>
    routes.flatMap((route) => {
      const namespaces = route.includes(":namespace") ? NAMESPACES : ["shop"];
      const owns = route.includes(":name") ? [true, false] : [false];
      return namespaces.flatMap((namespace) => owns.map((isOwn) => ({ asker, route, namespace, isOwn })));
    }),
  );
}

async function ask({ asker, route, namespace, isOwn }: Cell) {
  const [method = "", pattern = ""] = route.split(" ");
  const own = isOwn ? asker.name || "nobody" : "somebody";
  const name = pattern.includes("/apitokens/") ? `${own}.x` : own;
  const path = pattern
    .replace(":namespace", namespace)
    .replace(/:(name|node)\b/, name)
    .replace(/:\w+/g, "x")
    .replace("*", "x");
  // Whatever is allowed must leave the world as it is.
  const body = ["POST", "PUT", "PATCH"].includes(method) ? {} : undefined;
  return world.call(asker.shown, method, `${path}?dryRun=All`, body);
}

it(
  "every route of the router × role × namespace × own or other is as it is meant, and every refusal is recorded once",
  async () => {
    const routes = [...world.controlPlane.routes].sort(
      (a, b) => Number(/logout$/.test(a)) - Number(/logout$/.test(b)),
    );
    const cells = cellsOf(routes);
    const refusedBefore = (await world.operations()).filter(({ spec }) => spec.verb === "refuse");
    const wrong: string[] = [];
    const denied = new Map<string, number>();
    let deniedCount = 0;
    const rest = cells.filter(({ route }) => !route.endsWith("/logout"));
    const decide = async (cell: Cell) => {
      const { asker, route, namespace, isOwn } = cell;
      const { status, body } = await ask(cell);
      const isDenied = isRefusal(asker, status, body);
      const isRight = isDenied !== isMeant(cell);
      if (!isRight)
        wrong.push(`${asker.name || "stranger"} ${route} ${namespace} ${isOwn ? "own" : "other"}: ${status}`);
      if (!isDenied) return;
      deniedCount += 1;
      const key = `${asker.name || "anonymous"}: ${body["message"]}`;
      denied.set(key, (denied.get(key) ?? 0) + 1);
    };
    const queue = [...rest];
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let cell = queue.shift(); cell; cell = queue.shift()) await decide(cell);
      }),
    );
    for (const cell of cells.filter(({ route }) => route.endsWith("/logout"))) await decide(cell);
    expect(wrong).toEqual([]);
    const recorded = new Map<string, number>();
    for (const { spec } of (await world.operations()).slice()) {
      if (spec.verb !== "refuse") continue;
      const key = `${spec.operator}: ${spec.message}`;
      recorded.set(key, (recorded.get(key) ?? 0) + 1);
    }
    expect(refusedBefore).toEqual([]);
    expect(Object.fromEntries([...recorded].sort())).toEqual(Object.fromEntries([...denied].sort()));
    process.stdout.write(
      `${cells.length} cells over ${routes.length} routes and ${askers.length} askers: ${deniedCount} denied, ${[...recorded.values()].reduce((a, b) => a + b, 0)} recorded, ${wrong.length} wrong\n`,
    );
    expect(routes.length).toBeGreaterThan(100);
  },
  TIMEOUT_MS,
);
