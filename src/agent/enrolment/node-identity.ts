import { readFile } from "node:fs/promises";
import { backoffMs, type Clock, hasCode, type Logger, ParasausError } from "../../foundation/index.ts";
import { createCertificateRequest, hashToken, readCertificate } from "../../pki/index.ts";
import { askJson, type ClientTls, createNodeTransport } from "../../resources/remote/index.ts";
import { Complaints } from "./complaints.ts";
import { discoverAuthority } from "./discover-authority.ts";
import { type IdentityFiles, identityFilesIn, type StoredIdentity } from "./identity-files.ts";
import { type EnrolmentStep, nextStep } from "./next-step.ts";
import { readTokenText, type TokenText } from "./token-text.ts";

/** How often the token file is looked at, milliseconds. */
const LOOK_MS = 10_000;
const RETRY = { baseMs: 1_000, maxMs: 60_000 };
const ANSWER_TIMEOUT_MS = 10_000;

/** What a node's identity is kept with. */
export interface NodeIdentityOptions {
  readonly nodeName: string;
  /** Servers in order of preference; those over https are asked. */
  readonly servers: readonly string[];
  /** Where key and certificate are kept. */
  readonly directory: string;
  /** Holds the one-time token; absent: the node does not enrol. */
  readonly tokenFile: string | undefined;
  /** Authority that servers must show, PEM, whatever tokens say; absent: the token's. */
  readonly ca: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1), for back-off. */
  readonly random: () => number;
  /** Ends {@link NodeIdentity.keep}. */
  readonly signal: AbortSignal;
}

interface FoundToken extends TokenText {
  readonly hash: string;
}

/** Reads what the node has of its identity. @throws what the file system throws */
export async function openNodeIdentity(options: NodeIdentityOptions): Promise<NodeIdentity> {
  const files = identityFilesIn(options.directory);
  return new NodeIdentity(options, files, await files.read());
}

/** What a node proves itself with: gets it with a token, renews it, and says when it cannot. */
export class NodeIdentity {
  readonly #options: NodeIdentityOptions;
  readonly #files: IdentityFiles;
  readonly #complaints: Complaints;
  /** The one to ask next first. */
  #servers: readonly string[];
  /** Hashes of tokens that will not do. */
  readonly #refusedTokens = new Set<string>();
  #held: StoredIdentity | undefined;
  #tls: ClientTls;
  #trouble: string | undefined;
  #isSaved = true;

  /** @param held What was read of the files. */
  constructor(options: NodeIdentityOptions, files: IdentityFiles, held: StoredIdentity | undefined) {
    this.#options = options;
    this.#files = files;
    this.#complaints = new Complaints(options);
    this.#servers = options.servers.filter((server) => server.startsWith("https:"));
    this.#held = held;
    this.#tls = this.#tlsOf(held);
    if (options.tokenFile !== undefined && this.#servers.length === 0) {
      throw new ParasausError(
        "Usage",
        "Cannot use --token-file: nodes enrol over TLS, and no --server is https",
      );
    }
  }

  /** What to believe and to show now; another object whenever it changes. */
  readonly tls = (): ClientTls => this.#tls;

  /** When the certificate ends; undefined without one. */
  get validTo(): Date | undefined {
    return this.#held && readCertificate(this.#held.certificate).validTo;
  }

  /** Why the certificate is not renewed; null: it is, or need not be yet. Undefined without one. */
  get trouble(): string | null | undefined {
    return this.#held && (this.#trouble ?? null);
  }

  /**
   * Takes the first step, and then every one that is due, until the signal aborts.
   *
   * @param onFirst Called after the first step, whatever came of it.
   */
  async keep(onFirst: () => void = () => undefined): Promise<void> {
    const { clock, signal, random } = this.#options;
    for (let attempt = 0; !signal.aborted; ) {
      const restMs = await this.#advance();
      attempt = restMs === undefined ? attempt + 1 : 0;
      onFirst();
      await clock
        .sleep(restMs ?? backoffMs(attempt - 1, { ...RETRY, random }), signal)
        .catch(() => undefined);
    }
  }

  /** Takes the step that is due. @returns how long there is nothing to do, milliseconds; undefined when it failed */
  async #advance(): Promise<number | undefined> {
    const { clock, signal } = this.#options;
    if (this.#held && !this.#isSaved) await this.#save(this.#held);
    const token = await this.#readToken();
    const step = nextStep({ identity: this.#held, tokenHash: token?.hash, now: clock.now() });
    try {
      await this.#take(step, token);
    } catch (error) {
      if (!signal.aborted) this.#noteFailure(step, token, error);
      return undefined;
    }
    if (step.kind === "enrol" || step.kind === "renew") return 0;
    return step.kind === "rest" ? Math.min(LOOK_MS, step.until.getTime() - clock.now().getTime()) : LOOK_MS;
  }

  async #take(step: EnrolmentStep, token: FoundToken | undefined): Promise<void> {
    if (step.kind === "enrol" && token) await this.#enrol(token);
    if (step.kind === "renew" && this.#held) await this.#renew(this.#held);
    if (step.kind === "ended")
      this.#complaints.error("certificate ended, the node forwards what it has and learns nothing new", {
        endedAt: step.at.toISOString(),
      });
    if (step.kind === "without") this.#sayWithout();
  }

  #sayWithout(): void {
    if (this.#options.tokenFile !== undefined) this.#complaints.error("node has no certificate");
    // Servers that admit anybody need none.
    else if (this.#servers.length > 0)
      this.#complaints.warn("node has no certificate, most servers refuse it", {
        todo: this.#complaints.todo,
      });
  }

  async #enrol(token: FoundToken): Promise<void> {
    const { nodeName, ca } = this.#options;
    const discovered = ca === undefined ? await this.#discover(token) : undefined;
    const authority = ca ?? discovered;
    const { request, privateKey } = await this.#request();
    const question = { nodeName, token: token.secret, request };
    const trust = authority === undefined ? {} : { ca: authority };
    const certificate = await this.#ask("/internal/v1/enrolments", question, trust);
    await this.#hold({
      certificate,
      privateKey,
      tokenHash: token.hash,
      ...(discovered === undefined ? {} : { authority: discovered }),
    });
    this.#options.logger.info("node enrolled", {
      node: nodeName,
      validTo: this.validTo?.toISOString() ?? "",
    });
  }

  async #renew(held: StoredIdentity): Promise<void> {
    const { nodeName, logger } = this.#options;
    const { request, privateKey } = await createCertificateRequest(nodeName);
    const path = `/internal/v1/nodes/${encodeURIComponent(nodeName)}/certificates`;
    const certificate = await this.#ask(path, { request }, this.#tls);
    await this.#hold({ ...held, certificate, privateKey });
    logger.info("certificate renewed", { node: nodeName, validTo: this.validTo?.toISOString() ?? "" });
  }

  /** The first server that answers with the authority that the token expects. */
  async #discover({ authorityHash }: TokenText): Promise<string | undefined> {
    if (authorityHash === undefined) return undefined;
    const failures: Error[] = [];
    for (const server of this.#servers) {
      try {
        return await discoverAuthority(server, authorityHash, this.#options.signal);
      } catch (failure) {
        failures.push(failure as Error);
      }
    }
    throw whyUndiscovered(failures);
  }

  /** The same key until the node is enrolled: an answer that was lost on its way is asked for again with it. */
  async #request() {
    const begun = await this.#files.readRequest();
    if (begun) return begun;
    const made = await createCertificateRequest(this.#options.nodeName);
    await this.#files.writeRequest(made);
    return made;
  }

  async #ask(path: string, body: unknown, tls: ClientTls): Promise<string> {
    using transport = createNodeTransport({ servers: this.#servers, tls: () => tls });
    const signal = AbortSignal.any([this.#options.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
    const { certificate } = (await askJson(transport, { path, body, signal })) as { certificate: string };
    const { nodeName } = readCertificate(certificate);
    if (nodeName === this.#options.nodeName) return certificate;
    throw new ParasausError(
      "Unavailable",
      `Cannot take the certificate: it is for the node "${nodeName ?? ""}"`,
    );
  }

  async #hold(identity: StoredIdentity): Promise<void> {
    this.#held = identity;
    this.#tls = this.#tlsOf(identity);
    this.#complaints.forget();
    this.#trouble = undefined;
    await this.#save(identity);
  }

  /** A full disk is no reason to be a stranger: what cannot be written counts all the same, and is written later. */
  async #save(identity: StoredIdentity): Promise<void> {
    this.#isSaved = false;
    try {
      await this.#files.write(identity);
      await this.#files.removeRequest();
      this.#isSaved = true;
    } catch (error) {
      this.#complaints.warn("identity not written, trying again", { path: this.#files.path, error });
    }
  }

  #tlsOf(held: StoredIdentity | undefined): ClientTls {
    const ca = this.#options.ca ?? held?.authority;
    return {
      ...(ca === undefined ? {} : { ca }),
      ...(held ? { cert: held.certificate, key: held.privateKey } : {}),
    };
  }

  /** The token in the file, unless it was refused. */
  async #readToken(): Promise<FoundToken | undefined> {
    const { tokenFile } = this.#options;
    if (tokenFile === undefined) return undefined;
    let text: string;
    try {
      text = await readFile(tokenFile, "utf8");
    } catch (error) {
      // Whoever has enrolled may take the file away.
      if (!this.#held) this.#complaints.error("token file cannot be read", { error });
      return undefined;
    }
    try {
      const token = readTokenText(text);
      // With the authority's hash: a token that was put right is another one.
      const hash = hashToken(text.trim());
      return this.#refusedTokens.has(hash) ? undefined : { ...token, hash };
    } catch (error) {
      this.#complaints.error("token file holds no token", { error });
      return undefined;
    }
  }

  #noteFailure(step: EnrolmentStep, token: FoundToken | undefined, error: unknown): void {
    const isRefused = hasCode(error, "Unauthorized") || hasCode(error, "Forbidden");
    if (!isRefused) this.#beginWithNextServer();
    if (step.kind === "renew") this.#noteRenewalFailure(error, isRefused);
    else if (token && isRefused) {
      this.#refusedTokens.add(token.hash);
      this.#complaints.error("token refused", { error });
    } else this.#complaints.warn("node not enrolled, trying again", { error });
  }

  #noteRenewalFailure(error: unknown, isRefused: boolean): void {
    const validTo = this.validTo?.toISOString() ?? "";
    const reason = error instanceof Error ? error.message : String(error);
    this.#trouble = `The certificate ends at ${validTo} and is not renewed: ${reason}; ${this.#complaints.todo}`;
    if (isRefused) this.#complaints.error("certificate is not renewed", { validTo, error });
    else this.#complaints.warn("certificate not renewed, trying again", { validTo, error });
  }

  #beginWithNextServer(): void {
    const [first, ...others] = this.#servers;
    if (first !== undefined) this.#servers = [...others, first];
  }
}

/** A server that did not answer may be the one that the token means: only when all are others, the token will not do. */
function whyUndiscovered(failures: readonly Error[]): ParasausError {
  const isCertain = failures.every((failure) => hasCode(failure, "Unauthorized"));
  const reasons = failures.map(({ message }) => message).join("; ");
  return new ParasausError(isCertain ? "Unauthorized" : "Unavailable", reasons, { cause: failures.at(-1) });
}
