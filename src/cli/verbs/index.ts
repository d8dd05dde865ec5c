import type { Verb } from "../verb.ts";

/** A verb that is loaded only when it is asked for. */
interface VerbEntry {
  readonly summary: string;
  readonly load: () => Promise<Verb>;
}

/** Every verb there is, in the order of `parasaus --help`. */
export const VERBS: Readonly<Record<string, VerbEntry>> = {
  up: {
    summary: "Run the control plane and this machine's node",
    load: async () => (await import("./up.ts")).up,
  },
  server: {
    summary: "Run the control plane alone",
    load: async () => (await import("./server.ts")).server,
  },
  agent: {
    summary: "Run this machine's node alone",
    load: async () => (await import("./agent.ts")).agent,
  },
  apply: {
    summary: "Create or change objects as files describe them",
    load: async () => (await import("./apply.ts")).apply,
  },
  confirm: {
    summary: "Keep a change that is taken back otherwise (apply --confirm-within)",
    load: async () => (await import("./confirm.ts")).confirm,
  },
  plan: {
    summary: "Say what applying files would change, and do to open connections",
    load: async () => (await import("./plan.ts")).plan,
  },
  get: {
    summary: "List objects",
    load: async () => (await import("./get.ts")).get,
  },
  describe: {
    summary: "Show everything about objects",
    load: async () => (await import("./describe.ts")).describe,
  },
  delete: {
    summary: "Delete objects",
    load: async () => (await import("./delete.ts")).deleteVerb,
  },
  drain: {
    summary: "Take a member out of service without breaking its connections",
    load: async () => (await import("./drain.ts")).drain,
  },
  history: {
    summary: "Show who did what to an object, and at which revision",
    load: async () => (await import("./history.ts")).history,
  },
  rollback: {
    summary: "Make an object, or one member, what it was at an earlier revision",
    load: async () => (await import("./rollback.ts")).rollback,
  },
  node: {
    summary: "Let a node enrol, end that, or confirm what it holds back until somebody says that it is right",
    load: async () => (await import("./node.ts")).node,
  },
  status: {
    summary: "Show whether everything is well, and what needs attention",
    load: async () => (await import("./status.ts")).status,
  },
  explain: {
    summary: "Say where a connection goes and why, from the kernel's own entry",
    load: async () => (await import("./explain.ts")).explain,
  },
  backup: {
    summary: "Write everything in the store into a file, while the server runs",
    load: async () => (await import("./backup.ts")).backup,
  },
  restore: {
    summary: "Make the store what a backup says, while no server runs",
    load: async () => (await import("./restore.ts")).restore,
  },
  login: {
    summary: "Begin a session at a server, for the verbs that follow",
    load: async () => (await import("./login.ts")).login,
  },
  logout: {
    summary: "End the session at a server",
    load: async () => (await import("./logout.ts")).logout,
  },
  account: {
    summary: "Say who may ask, and what he may do where",
    load: async () => (await import("./account.ts")).account,
  },
  token: {
    summary: "Make, list and delete tokens that speak for an account",
    load: async () => (await import("./token.ts")).token,
  },
  adopt: {
    summary: "Turn the services of LVS or keepalived into pools, and take over those that run",
    load: async () => (await import("./adopt.ts")).adopt,
  },
  uninstall: {
    summary: "Take everything that the agent put there out of this node's kernel",
    load: async () => (await import("./uninstall.ts")).uninstall,
  },
  config: {
    summary: "Show the effective settings and where each comes from",
    load: async () => (await import("./config.ts")).config,
  },
  completion: {
    summary: "Print the completion script of a shell",
    load: async () => (await import("./completion.ts")).completion,
  },
  version: {
    summary: "Print the versions of this program and of the server",
    load: async () => (await import("./version.ts")).version,
  },
};
