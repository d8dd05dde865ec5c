import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Browser, chromium } from "playwright-core";
import { call, PARASAUS } from "../integration/server-program.ts";
import { endProcess, makeNamespace, type Namespace } from "../lab/namespaces.ts";
import { ROOT } from "../scenario/program.ts";

const CHROMIUM = "/usr/bin/chromium";
const START_TIMEOUT_MS = 110_000;

/** Where the members are; they live in the namespace alone. */
const MEMBER_IPS = ["10.77.0.1", "10.77.0.2", "10.77.0.3", "10.77.0.4"] as const;

/** `parasaus up`, whose node forwards nothing, members, and a browser, in a network namespace of their own. */
export interface ConsoleWorld extends AsyncDisposable {
  readonly url: string;
  readonly browser: Browser;
  /** Everything that the server printed for the operator so far. */
  readonly printed: () => string;
  /** Applies objects, as `alice`. */
  apply(...objects: readonly object[]): void;
  /** Asks the API. @throws when it refuses */
  ask(method: string, where: string, body?: unknown): unknown;
  /** Asks as a page of another origin would, by a browser that sends what it is told. */
  askFrom(origin: string, method: string, where: string): { readonly code: number; readonly body: string };
  /** Asks the API with a token. */
  askWith(token: string, where: string): { readonly code: number; readonly body: string };
  /** Starts a program of the tests beside the server, until this URL answers. */
  startBeside(program: string, words: readonly string[], url: string): Promise<void>;
  /** Runs a command beside the server and waits for it. @throws when it fails */
  run(...command: readonly string[]): void;
  /** Makes a member answer 503, or 200 again. */
  setWell(ip: string, isWell: boolean): void;
}

/** Whether this machine has a browser. */
export function hasChromium(): boolean {
  return existsSync(CHROMIUM);
}

/** Starts everything and waits until it answers. */
export async function startConsoleWorld(...flags: readonly string[]): Promise<ConsoleWorld> {
  const namespace = makeNamespace("web");
  const home = mkdtempSync(path.join(tmpdir(), "parasaus-console-"));
  const url = "http://127.0.0.1:6780";
  try {
    for (const ip of MEMBER_IPS) namespace.run("ip", "address", "add", `${ip}/32`, "dev", "lo");
    startProgram(namespace, "test/e2e/member-program.ts", MEMBER_IPS);
    const words = ["--data-dir", home, "--driver", "memory", "--address", "10.77.0.1", "--node-name", "n1"];
    const server = namespace.start([PARASAUS, "up", ...words, ...flags], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [log, printed]: [string[], string[]] = [[], []];
    server.stdout?.on("data", (chunk) => printed.push(String(chunk)));
    server.stderr?.on("data", (chunk) => log.push(String(chunk)));
    await untilAnswered(namespace, `${url}/readyz`, () => log.join(""));
    for (const ip of MEMBER_IPS) await untilAnswered(namespace, `http://${ip}/`, () => "");
    const browser = await startBrowser(namespace, home);
    return {
      url,
      browser,
      printed: () => printed.join(""),
      ...actions(namespace, home, url),
      async [Symbol.asyncDispose]() {
        await browser.close();
        await endProcess(server);
        await namespace[Symbol.asyncDispose]();
        rmSync(home, { recursive: true, force: true });
      },
    };
  } catch (failure) {
    await namespace[Symbol.asyncDispose]();
    rmSync(home, { recursive: true, force: true });
    throw failure;
  }
}

function startProgram(namespace: Namespace, program: string, words: readonly string[]): void {
  namespace.start([path.join(ROOT, "node_modules/.bin/tsx"), program, ...words], { cwd: ROOT });
}

async function untilAnswered(namespace: Namespace, url: string, log: () => string): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  while (call(namespace, url).code !== 200) {
    if (performance.now() > deadlineMs) throw new Error(`${url} does not answer:\n${log()}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/** The wrapper keeps the pipes open that the browser is driven through. */
function startBrowser(namespace: Namespace, home: string): Promise<Browser> {
  const wrapper = path.join(home, "chromium-inside");
  writeFileSync(wrapper, `#!/bin/sh\nexec nsenter --net=/run/netns/${namespace.id} ${CHROMIUM} "$@"\n`);
  chmodSync(wrapper, 0o755);
  return chromium.launch({ executablePath: wrapper, args: ["--no-sandbox", "--disable-gpu"] });
}

function actions(
  namespace: Namespace,
  home: string,
  url: string,
): Omit<ConsoleWorld, "url" | "browser" | "printed" | symbol> {
  return {
    apply(...objects) {
      const file = path.join(home, "objects.json");
      writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
      namespace.run(
        "env",
        "USER=alice",
        `PARASAUS_DATA_DIR=${home}`,
        PARASAUS,
        "apply",
        "--server",
        url,
        "-f",
        file,
      );
    },
    ask(method, where, body) {
      const file = path.join(home, "body.json");
      writeFileSync(file, JSON.stringify(body ?? null));
      const sent = body === undefined ? [] : ["--data-binary", `@${file}`];
      const head = ["-H", "content-type: application/json", "-H", "x-parasaus-operator: alice"];
      const answer = call(namespace, "-X", method, ...head, ...sent, url + where);
      if (answer.code >= 400) throw new Error(`${method} ${where}: ${answer.body}`);
      return JSON.parse(answer.body);
    },
    askFrom: (origin, method, where) => call(namespace, "-X", method, "-H", `origin: ${origin}`, url + where),
    askWith: (token, where) => call(namespace, "-H", `authorization: Bearer ${token}`, url + where),
    async startBeside(program, words, where) {
      startProgram(namespace, program, words);
      await untilAnswered(namespace, where, () => program);
    },
    run: (...command) => void namespace.run(...command),
    setWell: (ip, isWell) => void call(namespace, "-X", "POST", `http://${ip}/${isWell ? "well" : "ill"}`),
  };
}

/** A pool with these members and a fast check. */
export function poolOf(
  namespace: string,
  name: string,
  members: readonly object[],
  { metadata = {}, ...spec }: Readonly<Record<string, unknown>> = {},
): object {
  return {
    apiVersion: "parasaus.io/v1",
    kind: "Pool",
    metadata: { namespace, name, ...(metadata as object) },
    spec: { healthCheck: { type: "http", interval: "500ms", timeout: "300ms" }, members, ...spec },
  };
}

/** A member on one of the addresses. */
export function memberAt(index: number, more: object = {}): object {
  return { ip: MEMBER_IPS[index], port: 80, ...more };
}
