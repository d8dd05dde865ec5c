import type { LoadedConfiguration } from "../configuration/index.ts";
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

/** Starts the control plane. @returns undefined when the signal aborts before it answers. */
export async function startUnlessAborted(
  program: Program,
  { values: configuration }: LoadedConfiguration,
  signal: AbortSignal,
): Promise<ControlPlane | undefined> {
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
  { url }: ControlPlane,
  noForwarding?: string,
): void {
  const kubeconfig = writeKubeconfig(values.dataDir, url, { operator: terminal.environment["USER"] });
  const greeting = {
    version: VERSION,
    url,
    store: describeStore(values),
    kubeconfig,
    command: commandOf(terminal),
  };
  greet(terminal.stdout, { ...greeting, ...(noForwarding === undefined ? {} : { noForwarding }) }, isPlain);
}

/** From a checkout the program is `bin/parasaus`; installed, it is in the PATH. */
function commandOf({ self, environment }: Terminal): string {
  const isCheckout =
    self.some((word) => word.endsWith("/dist/parasaus.js")) &&
    environment["npm_lifecycle_event"] !== undefined;
  return isCheckout ? "bin/parasaus" : "parasaus";
}
