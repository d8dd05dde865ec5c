import { ParasausError } from "../../foundation/index.ts";
import { formatDurationMs, parseDurationMs } from "../../model/index.ts";
import { connect } from "../client/connection.ts";
import { type Invocation, textOption } from "../verb.ts";

const DEFAULT_LIFETIME = "1h";

/** Prints a one-time token for each node on standard output, and what to do with it on standard error. */
export async function makeTokens(invocation: Invocation, names: readonly string[]): Promise<void> {
  const [nodeName, ...more] = names;
  if (nodeName === undefined || more.length > 0) {
    throw new ParasausError(
      "Usage",
      "Cannot make a token: name one node, as its agent will with --node-name",
    );
  }
  const lifetime = textOption(invocation, "for") ?? DEFAULT_LIFETIME;
  const lifetimeMs = parseDurationMs(lifetime);
  if (lifetimeMs === undefined || lifetimeMs < 1_000) {
    throw new ParasausError(
      "Usage",
      `Cannot use --for: found "${lifetime}", expected a duration like 15m or 24h`,
    );
  }
  const { makeToken } = connect(invocation);
  const { secret, authorityHash, server, expires } = await makeToken(nodeName, Math.ceil(lifetimeMs / 1_000));
  const hash = authorityHash?.replace("sha256:", "");
  const { stdout, stderr } = invocation.terminal;
  stdout.write(`${hash === undefined ? secret : `${secret}.${hash}`}\n`);
  const trust = hash === undefined ? " --ca AUTHORITY.pem" : "";
  stderr.write(
    `Good once, for the node "${nodeName}", for ${formatDurationMs(lifetimeMs)} (until ${expires}). On the node, with the token in FILE:\n` +
      `  parasaus agent --server ${server ?? "https://SERVER:6780"} --node-name ${nodeName} --token-file FILE${trust}\n`,
  );
}
