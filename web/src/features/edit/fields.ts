import { FORWARDING_MODES, SCHEDULER_NAMES } from "../../../../src/model/pool/policy.ts";
import type { TextKey } from "../../i18n/use-texts.ts";

/** One field of the form. */
export interface Field {
  /** Where it stands in the object. */
  readonly path: string;
  readonly text: TextKey;
  readonly kind: "text" | "number" | "choice" | "list";
  readonly choices?: readonly string[];
  /** Shown where nothing is written. */
  readonly placeholder?: string;
  /** Cannot be changed of a pool that there is already. */
  readonly isName?: boolean;
  /** Makes sense only while another field is one of these. */
  readonly when?: { readonly path: string; readonly values: readonly string[] };
}

/** Fields of the form, in groups. */
export const FIELD_GROUPS: readonly { readonly text: TextKey; readonly fields: readonly Field[] }[] = [
  {
    text: "edit.group.identity",
    fields: [
      { path: "metadata.namespace", text: "edit.namespace", kind: "text", isName: true },
      { path: "metadata.name", text: "edit.name", kind: "text", isName: true },
    ],
  },
  {
    text: "edit.group.address",
    fields: [
      {
        path: "spec.protocol",
        text: "pools.column.protocol",
        kind: "choice",
        choices: ["TCP", "UDP", "SCTP"],
      },
      {
        path: "spec.addressPool",
        text: "edit.addressPool",
        kind: "text",
        placeholder: "node-ports",
      },
      { path: "spec.ip", text: "edit.ip", kind: "text" },
      { path: "spec.port", text: "edit.port", kind: "number" },
    ],
  },
  {
    text: "edit.group.forwarding",
    fields: [
      { path: "spec.scheduler", text: "pools.column.scheduler", kind: "choice", choices: SCHEDULER_NAMES },
      { path: "spec.forwarding", text: "pool.forwarding", kind: "choice", choices: FORWARDING_MODES },
      {
        path: "spec.sessionAffinity.type",
        text: "edit.affinity",
        kind: "choice",
        choices: ["None", "ClientIP"],
      },
      {
        path: "spec.sessionAffinity.timeoutSeconds",
        text: "edit.affinityTimeout",
        kind: "number",
        placeholder: "10800",
        when: { path: "spec.sessionAffinity.type", values: ["ClientIP"] },
      },
      { path: "spec.drainSeconds", text: "edit.drainSeconds", kind: "number", placeholder: "30" },
      { path: "spec.onMemberDown", text: "edit.onMemberDown", kind: "choice", choices: ["keep", "cut"] },
      { path: "spec.failOpen.threshold", text: "edit.failOpen", kind: "number", placeholder: "0" },
    ],
  },
  {
    text: "pool.healthCheck",
    fields: [
      {
        path: "spec.healthCheck.type",
        text: "edit.check.type",
        kind: "choice",
        choices: ["http", "https", "tcp", "mysql", "none"],
      },
      { path: "spec.healthCheck.interval", text: "edit.check.interval", kind: "text", placeholder: "2s" },
      { path: "spec.healthCheck.timeout", text: "edit.check.timeout", kind: "text", placeholder: "1s" },
      { path: "spec.healthCheck.rise", text: "edit.check.rise", kind: "number", placeholder: "2" },
      { path: "spec.healthCheck.fall", text: "edit.check.fall", kind: "number", placeholder: "3" },
      { path: "spec.healthCheck.port", text: "edit.check.port", kind: "number" },
      ...(["path", "host", "expect"] as const).map((name) => ({
        path: `spec.healthCheck.http.${name}`,
        text: `edit.check.${name}` as const,
        kind: name === "expect" ? ("list" as const) : ("text" as const),
        ...(name === "host" ? {} : { placeholder: name === "path" ? "/" : "200-399" }),
        when: { path: "spec.healthCheck.type", values: ["http", "https"] },
      })),
      {
        path: "spec.healthCheck.mysql.user",
        text: "edit.check.user",
        kind: "text",
        when: { path: "spec.healthCheck.type", values: ["mysql"] },
      },
    ],
  },
];
