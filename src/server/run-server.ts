import { setFlagsFromString } from "node:v8";
import { type Configuration, isLoopback, type LoadedConfiguration } from "../configuration/index.ts";
import { type Terminal, VERSION } from "../foundation/index.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { greet } from "./greeting.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { describeStore } from "./open-store.ts";
import { beginProgram, type Program, untilAborted } from "./program.ts";

/** Runs the control plane until the signal aborts. @returns The exit code. */
export async function runServerProcess(loaded: LoadedConfiguration, terminal: Terminal): Promise<number> {
  const program = beginProgram(loaded, terminal);
  await using controlPlane = await startUnlessAborted(program, loaded, terminal.signal);
  if (!controlPlane) return 0;
  welcome(loaded, terminal, program, controlPlane);
  await untilAborted(AbortSignal.any([terminal.signal, controlPlane.overtaken]));
  program.log.info("ending");
  return terminal.signal.aborted ? 0 : 1;
}

/**
 * How far the heap may grow over what is alive before garbage is collected, percent. By itself V8 lets it grow to three
 * times that, which with 35,000 pools is 300 MiB of garbage and saves a tenth of a server's CPU time at its start.
 */
const HEAP_GROWING_PERCENT = 40;

/** Starts the control plane. @returns undefined when the signal aborts before it answers. */
export async function startUnlessAborted(
  program: Program,
  { values: configuration }: LoadedConfiguration,
  signal: AbortSignal,
): Promise<ControlPlane | undefined> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
  try {
    return await startControlPlane({ ...program, configuration }, signal);
  } catch (failure) {
    if (signal.aborted) return undefined;
    throw failure;
  }
}

/** Writes the kubeconfig and tells where everything is. */
export function welcome(
  { values }: LoadedConfiguration,
  terminal: Terminal,
  { isPlain }: Program,
  controlPlane: ControlPlane,
  noForwarding?: string,
): void {
  const server = serverFor(controlPlane, values);
  const { operatorToken: token, firstCode } = controlPlane;
  const kubeconfig = writeKubeconfig(values.dataDir, server, {
    operator: terminal.environment["USER"],
    // With --no-auth nobody asks for it, and plain HTTP is no way to send it.
    ...(values.noAuth ? {} : { token }),
  });
  const greeting = {
    version: VERSION,
    url: controlPlane.url,
    ...(controlPlane.tls && !isLoopback(values.listen.host) ? { tlsUrl: controlPlane.tls.url } : {}),
    ...(firstCode === undefined ? {} : { firstCode }),
    isOpen: values.noAuth,
    store: describeStore(values),
    kubeconfig,
    command: commandOf(terminal),
  };
  greet(terminal.stdout, { ...greeting, ...(noForwarding === undefined ? {} : { noForwarding }) }, isPlain);
}

/**
 * Where the kubeconfig points to: with `--insecure` it works on every machine, else on this one (or through a tunnel to
 * it), where it is believed who asks. A certificate from a file need not be good for this machine's own addresses.
 */
function serverFor(
  { url, tls }: ControlPlane,
  { insecure, tlsCert }: Configuration,
): { readonly url: string; readonly authority?: string | undefined } {
  if (!tls || tlsCert !== undefined) return { url };
  return { url: insecure ? tls.url : `https://127.0.0.1:${tls.port}`, authority: tls.authority };
}

/** From a checkout the program is `bin/parasaus`; installed, it is in the PATH. */
function commandOf({ self, environment }: Terminal): string {
  const isCheckout =
    self.some((word) => word.endsWith("/dist/parasaus.js")) &&
    environment["npm_lifecycle_event"] !== undefined;
  return isCheckout ? "bin/parasaus" : "parasaus";
}
