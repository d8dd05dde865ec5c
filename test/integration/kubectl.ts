import { execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Resources } from "../../src/resources/index.ts";
import { serveApi, startApiServer } from "./api-server.ts";

const COMMAND_TIMEOUT_MS = 60_000;
const root = path.resolve(import.meta.dirname, "../..");

/** One kubectl of this machine. */
export interface Kubectl {
  readonly file: string;
  /** `1.32`. */
  readonly version: string;
}

/** Every kubectl on the machine, one for each minor version, and Debian's 1.20 or why there is none. */
export function findKubectls(): { found: Kubectl[]; missing: string[] } {
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/lib/google-cloud-sdk/bin"];
  const files = folders.filter(existsSync).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /^kubectl(\.\d+\.\d+)?$/.test(name))
      .map((name) => path.join(folder, name)),
  );
  const debian = debianKubectl();
  const byVersion = new Map<string, string>();
  for (const file of debian.file === undefined ? files : [debian.file, ...files]) {
    const version = versionOf(file);
    if (version !== undefined && !byVersion.has(version)) byVersion.set(version, file);
  }
  const found = [...byVersion]
    .map(([version, file]) => ({ version, file }))
    .sort((a, b) => Number(a.version.slice(2)) - Number(b.version.slice(2)));
  return { found, missing: debian.problem === undefined ? [] : [`Debian's kubectl: ${debian.problem}`] };
}

/** Debian's package cannot be installed beside others, so it is only unpacked, once. */
function debianKubectl(): { file?: string; problem?: string } {
  const folder = path.join(root, "dist/kubectl-debian");
  const file = path.join(folder, "usr/bin/kubectl");
  if (existsSync(file)) return { file };
  try {
    mkdirSync(folder, { recursive: true });
    execFileSync("apt-get", ["download", "-q", "kubernetes-client"], {
      cwd: folder,
      stdio: "pipe",
      timeout: 60_000,
    });
    const archive = readdirSync(folder).find((name) => name.endsWith(".deb")) ?? "";
    execFileSync("dpkg-deb", ["-x", archive, "."], { cwd: folder, stdio: "pipe" });
    return { file };
  } catch (failure) {
    return { problem: failure instanceof Error ? (failure.message.split("\n")[0] ?? "") : String(failure) };
  }
}

function versionOf(file: string): string | undefined {
  try {
    const output = execFileSync(file, ["version", "--client", "-o", "json"], {
      encoding: "utf8",
      stdio: "pipe",
    });
    const { clientVersion } = JSON.parse(output) as { clientVersion: { major: string; minor: string } };
    return `${clientVersion.major}.${clientVersion.minor.replace(/\D+$/, "")}`;
  } catch {
    return undefined;
  }
}

/** What a command printed and how it ended. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A server over an embedded store in a folder of its own, and the way to point kubectl at it. */
export interface ServerForKubectl extends AsyncDisposable {
  readonly resources: Resources;
  /** Runs kubectl to its end. */
  readonly run: (
    kubectl: Kubectl,
    args: readonly string[],
    input?: string,
    env?: object,
  ) => Promise<CommandResult>;
  /** Starts kubectl and gives its lines as they come; ends it when the caller stops reading. */
  readonly lines: (kubectl: Kubectl, args: readonly string[]) => AsyncGenerator<string>;
  /** Writes a file that only lives as long as the server. @returns its path */
  readonly file: (name: string, content: string, mode?: number) => string;
}

/**
 * Starts the API.
 *
 * @param resources Absent: a store of its own, without controllers.
 */
export async function startServer(resources?: Resources): Promise<ServerForKubectl> {
  const folder = mkdtempSync(path.join(tmpdir(), "parasaus-kubectl-"));
  const server = await (resources ? serveApi(resources) : startApiServer());
  const file = (name: string, content: string, mode = 0o600): string => {
    const at = path.join(folder, name);
    writeFileSync(at, content, { mode });
    return at;
  };
  const kubeconfig = file("kubeconfig", kubeconfigFor(server.url));
  const environment = { PATH: process.env["PATH"] ?? "", HOME: folder, KUBECONFIG: kubeconfig };
  return {
    resources: server.resources,
    file,
    run: (kubectl, args, input = "", env = {}) =>
      runCommand(kubectl, args, input, { ...environment, ...env }),
    lines: (kubectl, args) => commandLines(kubectl, args, environment),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function kubeconfigFor(server: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "parasaus", cluster: { server } }],
    users: [{ name: "operator", user: { as: "alice" } }],
    contexts: [
      { name: "parasaus", context: { cluster: "parasaus", user: "operator", namespace: "parasaus" } },
    ],
    "current-context": "parasaus",
  });
}

function runCommand(
  { file }: Kubectl,
  args: readonly string[],
  input: string,
  env: NodeJS.ProcessEnv,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile(file, args, { env, timeout: COMMAND_TIMEOUT_MS }, (failure, stdout, stderr) => {
      const code = typeof failure?.code === "number" ? failure.code : 0;
      resolve({ code: failure && code === 0 ? -1 : code, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

async function* commandLines(
  { file }: Kubectl,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): AsyncGenerator<string> {
  const child = spawn(file, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  try {
    let rest = "";
    for await (const chunk of child.stdout) {
      const lines = `${rest}${String(chunk)}`.split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } finally {
    child.kill();
  }
}
