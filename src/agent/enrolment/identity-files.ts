import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { type CertificateRequest, isPair, splitBundle } from "../../pki/index.ts";
import { replaceFile } from "../replace-file.ts";

/** What a node proves itself with. All PEM. */
export interface StoredIdentity {
  readonly certificate: string;
  readonly privateKey: string;
  /** Authority that servers must show, as the token had it; absent: it is known by other means. */
  readonly authority?: string;
  /** Of the token that the node enrolled with, hexadecimal. */
  readonly tokenHash: string;
}

/** A node's identity on disk, readable by its owner alone. */
export interface IdentityFiles {
  readonly path: string;
  read(): Promise<StoredIdentity | undefined>;
  /** Replaces it whole, or not at all. */
  write(identity: StoredIdentity): Promise<void>;
  /** The key and the request that the node enrols with, if it has begun to. */
  readRequest(): Promise<CertificateRequest | undefined>;
  writeRequest(request: CertificateRequest): Promise<void>;
  removeRequest(): Promise<void>;
}

const TOKEN_LINE = /^enrolled-with: ([0-9a-f]{64})$/m;
const KEY_BLOCK = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/;
const REQUEST_BLOCK = /-----BEGIN CERTIFICATE REQUEST-----[^-]+-----END CERTIFICATE REQUEST-----\n/;

/** The files `identity.pem` and, while the node enrols, `enrolment-request.pem` in a directory, which is made when needed. */
export function identityFilesIn(directory: string): IdentityFiles {
  const file = path.join(directory, "identity.pem");
  const requestFile = path.join(directory, "enrolment-request.pem");
  return {
    path: file,
    read: async () => parseIdentity(await readIfThere(file)),
    write: ({ certificate, privateKey, authority = "", tokenHash }) =>
      replaceFile(file, [`enrolled-with: ${tokenHash}\n`, certificate, privateKey, authority]),
    readRequest: async () => parseRequest(await readIfThere(requestFile)),
    writeRequest: ({ privateKey, request }) => replaceFile(requestFile, [request, privateKey]),
    removeRequest: () => rm(requestFile, { force: true }),
  };
}

/** A file that somebody damaged is no identity: the node enrols anew, or says that it cannot. */
function parseIdentity(text: string): StoredIdentity | undefined {
  const [certificate, authority] = splitBundle(text);
  const [privateKey] = KEY_BLOCK.exec(text) ?? [];
  const tokenHash = TOKEN_LINE.exec(text)?.[1];
  if (certificate === undefined || privateKey === undefined || tokenHash === undefined) return undefined;
  if (!isPair(certificate, privateKey)) return undefined;
  return { certificate, privateKey, tokenHash, ...(authority === undefined ? {} : { authority }) };
}

function parseRequest(text: string): CertificateRequest | undefined {
  const [[request] = [], [privateKey] = []] = [REQUEST_BLOCK.exec(text) ?? [], KEY_BLOCK.exec(text) ?? []];
  return request === undefined || privateKey === undefined ? undefined : { request, privateKey };
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw failure;
  }
}
