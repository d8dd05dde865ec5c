import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { VERSION } from "../foundation/index.ts";
import { runCli } from "./run.ts";
import type { LoadPrograms } from "./verb.ts";

async function cli(
  words: readonly string[],
  {
    environment = {},
    stdin = "",
    load,
  }: { environment?: Record<string, string>; stdin?: string; load?: LoadPrograms } = {},
) {
  const printed = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr") => ({
    write: (text: string) => {
      printed[name] += text;
    },
    isTerminal: false,
  });
  const exitCode = await runCli(
    {
      arguments: words,
      environment,
      stdout: output("stdout"),
      stderr: output("stderr"),
      readStdin: async () => stdin,
      readSecret: async () => stdin,
      signal: new AbortController().signal,
      self: ["parasaus"],
      isRoot: false,
      homeDirectory: "/home/ann",
      hostname: "node-1",
    },
    load ?? (() => Promise.reject(new Error("no program was asked for"))),
  );
  return { exitCode, ...printed };
}

it("refuses an unknown verb with those that exist, exit code 2", async () => {
  const { exitCode, stderr, stdout } = await cli(["frobnicate"]);
  expect([exitCode, stdout]).toEqual([2, ""]);
  expect(stderr).toBe(
    'Error: Cannot run "frobnicate": there is no such verb; there are up, server, agent, apply, confirm, plan, get, describe, delete, drain, history, rollback, node, status, explain, backup, restore, login, logout, account, token, adopt, uninstall, config, completion, version\n',
  );
});

it.each([
  [["get", "pools", "--colour"], "unknown option '--colour'"],
  [["get"], "missing required argument 'kind'"],
  [
    ["get", "pools", "-o", "xml"],
    "option '-o, --output <format>' argument 'xml' is invalid. Allowed choices are table, wide, json, yaml, name.",
  ],
])("refuses %j as wrong usage and points to the help", async (words, message) => {
  const { exitCode, stderr } = await cli(words);
  expect(exitCode).toBe(2);
  expect(stderr).toBe(`Error: Cannot read the command line: ${message}\nSee \`parasaus get --help\`\n`);
});

it("says its version when asked as programs are asked", async () => {
  expect(await cli(["--version"])).toMatchObject({ exitCode: 0, stdout: `${VERSION}\n` });
});

it("lists the verbs when called with nothing, and shows settings and examples of each", async () => {
  const all = await cli([]);
  expect(all.exitCode).toBe(0);
  expect(all.stdout).toContain("drain");
  const up = await cli(["up", "--help"]);
  expect(up.exitCode).toBe(0);
  expect(up.stdout).toContain("--data-dir <DIR>");
  expect(up.stdout).toContain("Examples:");
});

it("starts the program that is asked for with its settings, and returns its exit code", async () => {
  const seen: string[] = [];
  const run = (name: string) => async (configuration: { values: { logLevel: string; noAuth: boolean } }) => {
    seen.push(`${name} ${configuration.values.logLevel} ${configuration.values.noAuth}`);
    return 7;
  };
  const load = async () => ({
    runUp: run("up"),
    runServer: run("server"),
    runAgent: run("agent"),
    uninstallNode: run("uninstall"),
    adoptRunning: run("adopt"),
    backUpStore: () => Promise.reject(new Error("not asked for")) as never,
    restoreStore: () => Promise.reject(new Error("not asked for")),
  });
  const { exitCode } = await cli(["server", "--log-level", "warn", "--no-auth"], { load });
  expect([exitCode, seen]).toEqual([7, ["server warn true"]]);
});

it("shows settings and where each comes from", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "parasaus-cli-"));
  const file = path.join(folder, "p.yaml");
  writeFileSync(file, "log-level: warn\n");
  const { stdout } = await cli(["config", "--config", file, "--changed", "--max-pools", "9"], {
    environment: { PARASAUS_DRIVER: "ebpf" },
  });
  expect(stdout).toBe(`SETTING     VALUE   SOURCE
driver      ebpf    PARASAUS_DRIVER
max-pools   9       --max-pools
log-level   warn    ${file}:1
`);
  const json = await cli(["config", "--for", "agent", "-o", "json"], {
    environment: { PARASAUS_CONFIG: file },
  });
  expect(JSON.parse(json.stdout)).toMatchObject({
    file,
    settings: {
      "log-level": { value: "warn", source: "file" },
      "node-name": { value: "node-1", source: "default" },
    },
  });
  rmSync(folder, { recursive: true });
});

it("refuses a setting that cannot be, exit code 2", async () => {
  const { exitCode, stderr } = await cli(["up", "--driver", "dpdk"]);
  expect(exitCode).toBe(2);
  expect(stderr).toBe('Error: Cannot use --driver: found "dpdk", expected auto, ebpf or ipvs\n');
});

it("reports a mistake of ours as one line, exit code 1", async () => {
  expect(await cli(["up"])).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: "Error: unexpected failure: no program was asked for\n",
  });
});

it("turns a running IPVS table into pools on standard output, with warnings beside", async () => {
  const stdin = "-A -t 192.0.2.10:80 -s rr -o\n-a -t 192.0.2.10:80 -r 10.1.0.1:8080 -m -w 1\n";
  const { exitCode, stdout, stderr } = await cli(["adopt", "-", "-n", "shop"], { stdin });
  expect([exitCode, stderr]).toEqual([
    0,
    "Warning: line 1: one-packet scheduling -o does nothing without UDP\n",
  ]);
  expect(stdout.split("---\n")).toHaveLength(2);
  expect(stdout).toContain("name: tcp-192-0-2-10-80\n  namespace: shop\n");
});

it("follows the includes of a keepalived.conf from its folder, and refuses them without one", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "paratest-adopt-"));
  try {
    const server = (ip: string) =>
      `virtual_server ${ip} 80 {\n  real_server 10.1.0.1 80 {\n  }\n  quorum 1\n}\n`;
    writeFileSync(path.join(folder, "a.conf"), server("192.0.2.1"));
    writeFileSync(path.join(folder, "b.conf"), server("192.0.2.2"));
    writeFileSync(path.join(folder, "b.disabled"), server("192.0.2.3"));
    const file = path.join(folder, "keepalived");
    writeFileSync(file, "include *.conf\n");
    const { exitCode, stdout, stderr } = await cli(["adopt", file]);
    expect([exitCode, stdout.match(/kind: Pool/g)?.length]).toEqual([0, 2]);
    expect(stderr).toContain(`Warning: ${path.join(folder, "b.conf")} line 4: quorum has no counterpart\n`);
    const piped = await cli(["adopt", "-"], { stdin: "include *.conf\n" });
    expect([piped.exitCode, piped.stdout]).toEqual([1, ""]);
    expect(piped.stderr).toContain("has no folder");
    const empty = await cli(["adopt", "-"], { stdin: "vrrp_instance a {\n}\n" });
    expect(empty.exitCode).toBe(1);
    expect(empty.stderr).toContain("no virtual service that a pool can be");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
