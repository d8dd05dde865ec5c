import { hasCode, ParasausError, systemClock } from "../../foundation/index.ts";
import { connectTo } from "../client/connection.ts";
import { findLogin, saveLogin } from "../client/logins.ts";
import { EXIT } from "../output/errors.ts";
import type { Invocation, Verb } from "../verb.ts";

/** `parasaus logout`. */
export const logout: Verb = {
  arguments: [],
  options: [],
  programs: ["client"],
  examples: [["End the session at the server", "parasaus logout --server https://10.0.0.5:6780"]],
  run: logOut,
};

async function logOut({ configuration, terminal }: Invocation): Promise<number> {
  const [server = ""] = configuration.values.server;
  const login = findLogin(terminal, server, systemClock.now());
  if (!login) throw new ParasausError("Usage", `Cannot log out at ${server}: nobody is logged in there`);
  const { token, ca, url } = login;
  const { ask } = connectTo({ servers: [url], token, ...(ca === undefined ? {} : { ca }) }, terminal.signal);
  // A session that the server does not know any more has ended already.
  await ask("/api/logout", {}).catch((failure: unknown) => {
    if (!hasCode(failure, "Unauthorized")) throw failure;
  });
  saveLogin(terminal, server, undefined);
  terminal.stdout.write(`Logged out at ${server}\n`);
  return EXIT.ok;
}
