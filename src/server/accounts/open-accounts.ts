import type { FastifyInstance } from "fastify";
import type { Authenticate, HttpServer, HttpServerOptions } from "../../api/index.ts";
import type { Parts } from "../parts.ts";
import { accountRoutes } from "./account-routes.ts";
import { AccountService } from "./account-service.ts";
import { type AccountDirectory, openAccountDirectory } from "./directory.ts";
import { offerFirstAdministrator } from "./first-administrator.ts";
import { type MachineTokens, openMachineTokens } from "./machine-tokens.ts";
import { openConfiguredProvider } from "./oidc/configured-provider.ts";
import { oidcRoutes } from "./oidc/oidc-routes.ts";
import { recordRefusals } from "./record-refusals.ts";

/** Sessions and tokens that end by themselves are noticed within this time, milliseconds. */
const TICK_MS = 500;

/** Everything about who asks. */
export interface Accounts {
  /** For the HTTP server. */
  readonly guard: Pick<HttpServerOptions, "authenticate" | "believes" | "onRefused">;
  readonly routes: (app: FastifyInstance) => void;
  readonly machine: MachineTokens;
  /** One-time code of the first administrator; absent: it was shown before, or is not needed. */
  readonly firstCode?: string;
  /** Ends what accounts have open and may no more, until the signal aborts. */
  readonly watchOver: (http: Pick<HttpServer, "endRefused">) => Promise<void>;
}

/**
 * Opens accounts.
 *
 * @throws what the store and the file system throw
 */
export async function openAccounts(parts: Parts): Promise<Accounts> {
  const { configuration, store, resources, clock, random, process, signal } = parts;
  const logger = parts.log.child({ logger: "accounts" });
  const directory = await openAccountDirectory({ store, clock, logger, random, signal });
  const accounts = new AccountService({ store, resources, clock });
  const machine = openMachineTokens(configuration.dataDir);
  const { insecure, noAuth } = configuration;
  const provider = openConfiguredProvider(configuration, () => clock.monotonicMs());
  const unrecorded = process.counter(
    "parasaus_refusals_unrecorded_total",
    "Refused requests that left no Operation because there were too many.",
    [],
  );
  // With --no-auth everybody of this machine is let in: no code is needed, and none is used up.
  const firstCode = noAuth ? undefined : await offerFirstAdministrator(store);
  return {
    guard: {
      believes: noAuth ? "loopback" : "nobody",
      authenticate: authenticator(directory, machine, insecure),
      onRefused: recordRefusals({ store, resources, clock, logger, onUnrecorded: () => unrecorded({}) }),
    },
    routes: (app) => {
      accountRoutes({ store, resources, accounts, needsNoLogin: noAuth, hasOidc: provider !== undefined })(
        app,
      );
      oidcRoutes({ accounts, provider, logger })(app);
    },
    machine,
    ...(firstCode === undefined ? {} : { firstCode }),
    watchOver: async (http) => {
      while (!signal.aborted) {
        const { version } = directory.news;
        http.endRefused((identity) => directory.refresh(identity));
        const waiting = new AbortController();
        const stop = AbortSignal.any([signal, waiting.signal]);
        const tick = clock.sleep(TICK_MS, stop).catch(() => undefined);
        await Promise.race([directory.news.since(version, stop), tick]);
        waiting.abort();
      }
    },
  };
}

/** The machine's own tokens count on it alone, unless everything is plain anyway. */
function authenticator(directory: AccountDirectory, machine: MachineTokens, isPlain: boolean): Authenticate {
  return (credentials, isLoopback) => {
    const { bearer, cookie } = credentials;
    const own = isLoopback || isPlain ? machine.identify(credentials) : undefined;
    if (own) return own;
    if (bearer !== undefined) return directory.identify(bearer, "bearer");
    return cookie === undefined ? undefined : directory.identify(cookie, "cookie");
  };
}
