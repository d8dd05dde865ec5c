import type { JsonSchema } from "../../model/index.ts";
import { anything, count, fields, flag, list, named, oneOf, text } from "./words.ts";

/** What a route is for. */
export interface RouteDescription {
  /** Heading that it stands under. */
  readonly tag: "Objects" | "Changes" | "Record" | "Accounts" | "Console" | "Reference";
  readonly summary: string;
  /** By name; absent: none. */
  readonly query?: Readonly<Record<string, JsonSchema>>;
  /** Of a JSON body; absent: none. */
  readonly body?: JsonSchema;
  readonly answer: JsonSchema;
  /** Media type of the answer. Default application/json. */
  readonly mediaType?: string;
  /** Nobody has to be known for it. */
  readonly isOpen?: true;
}

const reason = text("Why, for the record of operations.");
const objects = list(anything("An object as a file has it."), "Whole objects.");
const namespace = text("For objects that name none. Default: default.");
const member = text("ip:port: one member of a pool alone.");
const object = { kind: text("Kind."), namespace: text("Namespace; default: default."), name: text("Name.") };
const found = fields({
  items: list(named("Operation"), "The newest first."),
  "continue?": text("Next page."),
});

/** Every route under /api that is not Kubernetes', but those of the console's views. */
const ROUTE_DESCRIPTIONS: Readonly<Record<string, RouteDescription>> = {
  "GET /api/objects/:kind": {
    tag: "Objects",
    summary: "List objects of a kind.",
    query: {
      namespace: text("Only here."),
      labelSelector: text("Only with these labels."),
      limit: count("Most to answer with, 1 to 500. Default 500."),
      continue: text("From the page before."),
    },
    answer: fields({ items: list(anything("An object."), "Objects."), "continue?": text("Next page.") }),
  },
  "GET /api/objects/:kind/:name": {
    tag: "Objects",
    summary: "Read an object; the header ETag names what a person has written of it.",
    query: { namespace: object.namespace },
    answer: anything("The object."),
  },
  "PUT /api/objects/:kind/:name": {
    tag: "Objects",
    summary:
      "Create or replace an object; with If-Match only the one that was read, with If-None-Match: * only a new one.",
    query: { namespace: object.namespace, dryRun: oneOf(["All"], "Check and change nothing.") },
    body: anything("The whole object; what controllers keep may be left out."),
    answer: anything("The object as it is now."),
  },
  "DELETE /api/objects/:kind/:name": {
    tag: "Objects",
    summary: "Delete an object; with If-Match only the one that was read.",
    query: { namespace: object.namespace, dryRun: oneOf(["All"], "Check and change nothing.") },
    answer: anything("The object as it was last."),
  },
  "POST /api/plan": {
    tag: "Changes",
    summary: "Say what writing objects would change, and do to open flows; nothing is written.",
    body: fields({
      objects,
      "namespace?": namespace,
      "mode?": oneOf(
        ["apply", "replace"],
        "Join with what is stored (the default), or write as PUT /api/objects does.",
      ),
    }),
    answer: named("Plan"),
  },
  "POST /api/apply": {
    tag: "Changes",
    summary: "Apply objects in one transaction, all or none; take it back unless it is confirmed in time.",
    body: fields({
      objects,
      "namespace?": namespace,
      "reason?": reason,
      "dryRun?": flag("Check and change nothing."),
      "confirmWithinSeconds?": count(
        "Take it back unless it is confirmed within so many seconds, 5 to 86400.",
      ),
    }),
    answer: fields({
      outcomes: list(oneOf(["created", "configured", "unchanged"], "Of one object."), "In order."),
      objects: list(anything("An object that changed."), "As they are now."),
      warnings: list(text("One sentence."), "Warnings."),
      "confirmation?": fields({ id: text("Its name."), deadline: text("When.", { format: "date-time" }) }),
    }),
  },
  "GET /api/confirmations": {
    tag: "Changes",
    summary: "List changes that wait for a word, and those of a day.",
    answer: fields({ items: list(named("Confirmation"), "Changes.") }),
  },
  "POST /api/confirmations/:id": {
    tag: "Changes",
    summary: "Confirm a change, so that it is not taken back.",
    body: fields({}),
    answer: named("Confirmation"),
  },
  "POST /api/rollback": {
    tag: "Changes",
    summary: "Make an object, or one member of a pool, what it was at an earlier revision.",
    body: fields({
      kind: object.kind,
      "namespace?": object.namespace,
      name: object.name,
      "revision?": text("What it was right after this one. Default: before its last operation."),
      "member?": member,
      "reason?": reason,
      "dryRun?": flag("Say whether it would be taken, and change nothing."),
    }),
    answer: fields({
      revision: text("To which it was rolled back."),
      objects: list(anything("An object that changed."), "As they are now."),
      warnings: list(text("One sentence."), "What could not be brought back."),
    }),
  },
  "GET /api/operations": {
    tag: "Record",
    summary: "Search the record of operations, the newest first.",
    query: {
      ...Object.fromEntries(
        ["operator", "verb", "kind", "namespace", "name", "member", "source", "text", "continue"].map(
          (name) => [name, text(`Only operations with this ${name}.`)],
        ),
      ),
      continue: text("From the page before."),
      text: text("Anywhere in it."),
      since: text("Not before.", { format: "date-time" }),
      until: text("Not after.", { format: "date-time" }),
      limit: count("1 to 500. Default 50."),
    },
    answer: found,
  },
  "GET /api/history": {
    tag: "Record",
    summary: "List what was done to an object, of a pool also to its Service and Endpoints.",
    query: { ...object, member },
    answer: found,
  },
  "GET /api/last-operations": {
    tag: "Record",
    summary: "Say who did something last to each pool and each member, and when.",
    query: { namespace: text("Only here.") },
    answer: fields({ items: list(anything("A pool with operator, time, verb and members."), "Pools.") }),
  },
  "GET /api/login": {
    tag: "Accounts",
    summary: "Say in which ways one can log in.",
    answer: anything("The ways that there are."),
    isOpen: true,
  },
  "POST /api/login": {
    tag: "Accounts",
    summary: "Begin a session with a password.",
    body: fields({
      name: text("Account."),
      password: text("Its password."),
      "as?": oneOf(["token"], "For a program: the answer has a token, and no cookie is set."),
    }),
    answer: named("Session"),
    isOpen: true,
  },
  "GET /api/oidc/login": {
    tag: "Accounts",
    summary: "Begin a session through the OIDC provider: sends the browser there.",
    answer: anything("A redirection."),
    isOpen: true,
  },
  "GET /api/oidc/callback": {
    tag: "Accounts",
    summary: "Where the OIDC provider sends the browser back to.",
    answer: anything("A redirection."),
    isOpen: true,
  },
  "POST /api/logout": {
    tag: "Accounts",
    summary: "End the session.",
    body: fields({}),
    answer: named("Nothing"),
  },
  "GET /api/whoami": { tag: "Accounts", summary: "Say who asks, and what he may.", answer: named("WhoAmI") },
  "POST /api/password": {
    tag: "Accounts",
    summary: "Change the own password.",
    body: fields({ current: text("The password until now."), next: text("The password from now on.") }),
    answer: named("Nothing"),
  },
  "POST /api/accounts/:name/password": {
    tag: "Accounts",
    summary: "Set the password of an account.",
    body: fields({ password: text("The password from now on.") }),
    answer: named("Nothing"),
  },
  "POST /api/first-administrator": {
    tag: "Accounts",
    summary: "Make the first administrator with the code that the server showed at its first start.",
    body: fields({ code: text("The code."), name: text("Account."), password: text("Its password.") }),
    answer: fields({ name: text("Account.") }),
    isOpen: true,
  },
  "GET /api/tokens": {
    tag: "Accounts",
    summary: "List the own API tokens; an administrator sees all.",
    answer: fields({ items: list(named("ApiToken"), "Tokens, without their secrets.") }),
  },
  "POST /api/tokens": {
    tag: "Accounts",
    summary: "Make an API token; it is shown once.",
    body: fields({
      name: text("Its name."),
      lifetimeSeconds: count("How long it is good, seconds."),
      "account?": text("For whom. Default: who asks."),
      "role?": oneOf(["admin", "operator", "viewer"], "At most this role."),
      "namespaces?": list(text("Namespace."), "Only here."),
      "description?": text("What it is for."),
    }),
    answer: fields({
      token: text("The secret."),
      name: text("ACCOUNT.NAME."),
      account: text("For whom."),
      expires: text("When it ends.", { format: "date-time" }),
    }),
  },
  "GET /api/openapi.json": {
    tag: "Reference",
    summary: "Answer with this document.",
    answer: anything("An OpenAPI 3.1 document."),
  },
  "GET /api/docs": {
    tag: "Reference",
    summary: "Show this document to people.",
    answer: text("A page."),
    mediaType: "text/html",
  },
};

/** The console's own views are told of in one way: they change with it. */
export function describeRoute(route: string): RouteDescription | undefined {
  const known = ROUTE_DESCRIPTIONS[route];
  if (known || !/ \/api\/console(\/|$)/.test(route)) return known;
  const isStream = route.startsWith("GET ");
  return {
    tag: "Console",
    summary: "A view of the console; it may change with any version.",
    ...(isStream ? {} : { body: anything("What the view asks.") }),
    answer: anything("What the view shows."),
  };
}
