import { ERROR_CODES } from "../../foundation/index.ts";
import { DEFINITIONS, type JsonSchema } from "../../model/index.ts";
import { anything, count, fields, flag, list, named, oneOf, share, text } from "./words.ts";

const flowFates = {
  keptCount: count("Open flows that the change does nothing to."),
  drainedCount: count("Open flows that may go on until a deadline."),
  cutCount: count("Open flows that are reset at once."),
};
const memberState = fields(
  {
    weight: count("0 to 256."),
    disposition: oneOf(["active", "paused", "draining", "cut"], "What the kernels do with it."),
    share: share("Of new flows."),
  },
  "One member in one state.",
);
const fieldError = fields(
  {
    field: text("Path in the object."),
    reason: text("How the value is wrong."),
    message: text("What was found and what is allowed."),
  },
  "A wrong field.",
);

/** What answers are made of, by name. Kinds have the schemas that the whole API has for them. */
export const ANSWER_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  ...Object.fromEntries(DEFINITIONS.map(({ kind, schema }) => [kind, schema])),
  Problem: fields(
    {
      type: text("Which error, as a reference into the reference page.", { format: "uri-reference" }),
      title: oneOf(Object.keys(ERROR_CODES), "Its name."),
      status: count("HTTP status code."),
      detail: text("What was asked for, what was found and what was needed."),
      "errors?": list(fieldError, "The wrong fields."),
      "kind?": text("Status: the members of Kubernetes' Status stand beside, but for its status."),
      "message?": text("As detail."),
      "reason?": text("Kubernetes' word for it."),
      "code?": count("As status."),
      "details?": anything("Kubernetes' details."),
    },
    "A refusal (RFC 9457).",
  ),
  Plan: fields(
    {
      objects: list(named("PlannedObject"), "What would become of each, and of those that follow from them."),
      ...flowFates,
      unknownNodes: list(text("Name of a node."), "Nodes that did not answer: their flows are in no count."),
    },
    "What would come of writing some objects.",
  ),
  PlannedObject: fields(
    {
      apiVersion: text("API version."),
      kind: text("Kind."),
      "namespace?": text("Namespace."),
      name: text("Name."),
      outcome: oneOf(["created", "changed", "deleted", "unchanged", "refused"], "What would become of it."),
      "documentIndex?": count("Which of the objects says so, from 0."),
      "service?": text("Service that it comes from."),
      changes: list(
        fields({ field: text("Path in the object."), "before?": {}, "after?": {} }, "One field."),
        "Field by field.",
      ),
      "refusal?": fields(
        { code: text("Error code."), message: text("Why."), fields: list(fieldError, "Wrong fields.") },
        "Why the write would be refused.",
      ),
      warnings: list(text("One sentence."), "What the write would warn of."),
      "traffic?": named("PlannedTraffic"),
    },
    "What would become of one object.",
  ),
  PlannedTraffic: fields(
    {
      ...flowFates,
      "address?": fields(
        { "before?": text("Before."), "after?": text("After.") },
        "Where clients connect to.",
      ),
      members: list(
        fields(
          {
            member: text("ip:port."),
            "before?": memberState,
            "after?": memberState,
            ...flowFates,
            "drainSeconds?": count("How long drained flows may go on at most, seconds."),
            "shareOnceProbed?": share("Of new flows, once each member that was never probed has passed."),
          },
          "One member.",
        ),
        "Each member, before or after.",
      ),
      unknownNodes: list(text("Name of a node."), "Nodes that did not answer."),
    },
    "What a change of a pool does to live traffic.",
  ),
  Confirmation: fields(
    {
      id: text("Its name."),
      operator: text("Who made the change."),
      withinSeconds: count("How long it waits, seconds."),
      deadline: text("When it is taken back.", { format: "date-time" }),
      state: oneOf(["pending", "confirmed", "reverted"], "Whether it waits, or what became of it."),
      objects: list(
        fields({ kind: text("Kind."), "namespace?": text("Namespace."), name: text("Name.") }, "One object."),
        "What was changed.",
      ),
      "finished?": text("When it was confirmed or taken back.", { format: "date-time" }),
      "confirmedBy?": text("Who confirmed it."),
      "leftAlone?": list(anything("An object and why."), "What was not taken back."),
    },
    "A change that waits for a word, or got it lately.",
  ),
  Nothing: fields({}, "Nothing more to say."),
  Session: fields(
    {
      name: text("Account."),
      expires: text("When it ends.", { format: "date-time" }),
      "csrfToken?": text("For the header X-CSRF-Token of whatever changes something."),
      "token?": text("For programs: Authorization: Bearer."),
    },
    "A session.",
  ),
  WhoAmI: fields(
    {
      kind: text("account, operator (the owner), node or stranger."),
      "name?": text("Account."),
      role: { type: ["string", "null"], description: "Role everywhere." },
      namespaces: {
        type: "object",
        additionalProperties: { type: "string" },
        description: "Roles by namespace.",
      },
      needsNoLogin: flag("Whether nobody has to log in here."),
    },
    "Who asks, and what he may.",
  ),
};
