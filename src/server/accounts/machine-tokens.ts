import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Credentials, Identity } from "../../api/index.ts";
import { nameComplaint } from "../../model/index.ts";
import { createToken, hashToken, isTokenOf } from "../../pki/index.ts";

const OPERATOR_FILE = "operator.token";
const AGENT_FILE = "agent.token";

/** What whoever may read the data directory is known by, on this machine. */
export interface MachineTokens {
  /** Of whoever owns the server. */
  readonly operator: string;
  /** Of agents that reach the server without TLS; the file holds it. */
  readonly agentFile: string;
  /** Whose token it is; undefined: none of these. */
  readonly identify: (credentials: Credentials) => Identity | undefined;
}

/** Reads the two tokens of a data directory, which are made when they are not there: files that only its owner can read. */
export function openMachineTokens(dataDirectory: string): MachineTokens {
  const agentFile = path.join(dataDirectory, AGENT_FILE);
  const [operator, agent] = [keep(path.join(dataDirectory, OPERATOR_FILE)), keep(agentFile)];
  const [operatorHash, agentHash] = [hashToken(operator), hashToken(agent)];
  return {
    operator,
    agentFile,
    identify({ bearer, nodeName }) {
      if (bearer === undefined) return undefined;
      if (isTokenOf(bearer, operatorHash)) return { kind: "operator" };
      if (nodeName === undefined || nameComplaint(nodeName, "subdomain") !== undefined) return undefined;
      return isTokenOf(bearer, agentHash) ? { kind: "node", name: nodeName } : undefined;
    },
  };
}

function keep(file: string): string {
  const found = readToken(file);
  if (found !== undefined) return found;
  const made = createToken();
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `${made}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return made;
}

function readToken(file: string): string | undefined {
  try {
    const text = readFileSync(file, "utf8").trim();
    return /^[0-9a-f]{64}$/.test(text) ? text : undefined;
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw failure;
  }
}
