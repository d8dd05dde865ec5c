import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { endProcess, type Namespace } from "../lab/namespaces.ts";
import { ROOT } from "../scenario/program.ts";

/** The program's launcher. */
export const PARASAUS = path.join(ROOT, "bin/parasaus");

/** `parasaus server` in a namespace. Disposing it ends it and removes its data. */
export interface Server extends AsyncDisposable {
  readonly kubeconfig: string;
  /** Holds what its owner is known by. */
  readonly tokenFile: string;
  /** Everything it has printed so far. */
  readonly printed: () => string;
  /** Ends it; its data stay. */
  readonly stop: () => Promise<void>;
}

/** Starts it and waits for its first lines. */
export async function startServer(
  namespace: Namespace,
  flags: readonly string[],
  home = mkdtempSync(path.join(tmpdir(), "parasaus-server-")),
): Promise<Server> {
  const child = namespace.start([PARASAUS, "server", "--data-dir", home, ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => chunks.push(String(chunk)));
  const printed = () => chunks.join("");
  const server = {
    kubeconfig: path.join(home, "kubeconfig"),
    tokenFile: path.join(home, "operator.token"),
    printed,
    stop: () => endProcess(child),
    async [Symbol.asyncDispose]() {
      await endProcess(child);
      rmSync(home, { recursive: true, force: true });
    },
  };
  while (!printed().includes("Type next")) {
    const [event] = await Promise.race([
      once(child.stdout ?? child, "data").then(() => ["data"]),
      once(child, "exit").then(() => ["exit"]),
    ]);
    if (event !== "exit") continue;
    await server[Symbol.asyncDispose]();
    throw new Error(`parasaus server did not start:\n${printed()}`);
  }
  return server;
}

/** What a command printed, both streams; it may fail. */
export function outputOf(namespace: Namespace, ...command: readonly string[]): string {
  return namespace.run("sh", "-c", `exec 2>&1; "$@"; true`, "sh", ...command);
}

/** Asks by curl. @returns HTTP code and body */
export function call(
  namespace: Namespace,
  ...words: readonly string[]
): { readonly code: number; readonly body: string } {
  const output = outputOf(namespace, "curl", "-sS", "-m", "20", "-w", "\n%{http_code}", ...words);
  const lines = output.split("\n");
  return { code: Number(lines.at(-1)), body: lines.slice(0, -1).join("\n") };
}
