import { ParasausError } from "../../foundation/index.ts";
import { connectTo } from "../client/connection.ts";
import { findServers } from "../client/find-servers.ts";
import { saveLogin } from "../client/logins.ts";
import { EXIT } from "../output/errors.ts";
import { type Invocation, textOption, type Verb } from "../verb.ts";

/** What the server answers to a login that is no browser's. */
interface LoginAnswer {
  readonly name: string;
  readonly token: string;
  /** ISO 8601. */
  readonly expires: string;
}

/** `parasaus login`. */
export const login: Verb = {
  arguments: [{ syntax: "<account>", description: "name of the account" }],
  options: [],
  programs: ["client"],
  examples: [
    [
      "Asks for the password; the session is kept for 12 hours",
      "parasaus login alice --server https://10.0.0.5:6780 --ca ca.pem",
    ],
    ["From a script", "parasaus login alice < password-file"],
  ],
  run: logIn,
};

async function logIn(invocation: Invocation): Promise<number> {
  const { configuration, terminal } = invocation;
  const [account = ""] = invocation.arguments;
  const kubeconfig = textOption(invocation, "kubeconfig");
  // What we are known by so far does not count.
  const { token: _token, ...servers } = findServers({ configuration, terminal, kubeconfig });
  const asked = kubeconfig === undefined ? configuration.values.server[0] : servers.servers[0];
  if (asked === undefined) throw new ParasausError("Usage", "Cannot log in: no server is named");
  const password = await terminal.readSecret(`Password of ${account}: `);
  const { ask } = connectTo(servers, terminal.signal);
  const answer = await ask<LoginAnswer>("/api/login", { name: account, password, as: "token" });
  const { name, token, expires } = answer;
  const url = servers.servers[0] ?? asked;
  const kept = { name, token, expires, url, ...(servers.ca === undefined ? {} : { ca: servers.ca }) };
  saveLogin(terminal, asked, kept);
  terminal.stdout.write(`Logged in at ${asked} as ${name} until ${expires}\n`);
  return EXIT.ok;
}
