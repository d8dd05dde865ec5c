import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { canMakeNamespaces } from "../lab/namespaces.ts";
import { openStage } from "../lab/stage.ts";
import { startTraffic } from "../lab/traffic.ts";
import { buildProgram, ROOT } from "../scenario/program.ts";

const UNITS = path.join(ROOT, "deploy/systemd");
const units = readdirSync(UNITS).filter((name) => name.endsWith(".service"));
const hasSystemd = existsSync("/usr/bin/systemd-analyze");
const hasStrace = existsSync("/usr/bin/strace");
const skipped = (text: string, canRun: boolean, why: string) => (canRun ? text : `${text} (skipped: ${why})`);

let folder: string;
beforeAll(buildProgram);
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "parasaus-units-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Copies the units, with the program where it is here. */
function copyUnits(change: (text: string) => string = (text) => text): readonly string[] {
  return units.map((name) => {
    const file = path.join(folder, name);
    writeFileSync(
      file,
      change(readFileSync(path.join(UNITS, name), "utf8").replaceAll("/opt/parasaus", ROOT)),
    );
    return file;
  });
}

function verify(files: readonly string[]): { readonly exitCode: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", ...files], { encoding: "utf8" });
  return { exitCode: status, output: stdout + stderr };
}

describe.skipIf(!hasSystemd)(skipped("the systemd units", hasSystemd, "no systemd-analyze here"), () => {
  it("are what systemd understands", () => {
    expect(units).toEqual(["parasaus-agent.service", "parasaus-server.service", "parasaus.service"]);
    expect(verify(copyUnits())).toEqual({ exitCode: 0, output: "" });
  });

  it.each([
    ["a setting that is none", (text: string) => text.replace("ProtectSystem=strict", "ProtectSytem=strict")],
    ["a program that is not there", (text: string) => text.replace("/bin/parasaus", "/bin/nothing")],
  ])("would be refused with %s, which shows that the check can tell", (_title, change) => {
    expect(verify(copyUnits(change)).output).not.toBe("");
  });

  it("leave little to attack, by systemd's own measure", () => {
    const exposure = (file: string) => {
      const output = execFileSync("systemd-analyze", ["security", "--offline=true", file], {
        encoding: "utf8",
      });
      return Number(/exposure level for \S+: ([\d.]+)/.exec(output)?.[1]);
    };
    const levels = copyUnits().map(exposure);
    process.stdout.write(`exposure of ${units.join(", ")}: ${levels.join(", ")} of 10\n`);
    for (const level of levels) expect(level).toBeLessThanOrEqual(3);
    const [open = 0] = copyUnits((text) =>
      text.replaceAll(/^(Protect|Restrict|System|Capa|Ambient|NoNew).*$/gm, ""),
    ).map(exposure);
    expect(open).toBeGreaterThan(6);
  });

  const canTrace = canMakeNamespaces() && hasStrace;
  it.skipIf(!canTrace)(
    skipped(
      "allow every system call that server and agent make while they forward",
      canTrace,
      "needs root and strace",
    ),
    async () => {
      const log = path.join(folder, "calls");
      await using stage = await openStage({ memberCount: 1, prefix: ["strace", "-f", "-qq", "-o", log] });
      const port = await stage.openPool("web", stage.poolSpec(1));
      const plan = {
        mode: "requests",
        host: stage.lab.nodeIp,
        port,
        total: 50,
        concurrency: 2,
        sources: stage.lab.clientIps,
        timeoutMs: 5_000,
      } as const;
      await startTraffic(stage.lab.client, plan).finished();
      const made = new Set(
        Array.from(readFileSync(log, "utf8").matchAll(/^\d+ +([a-z]\w+)\(/gm), ([, name = ""]) => name),
      );
      const allowed = new Set(filterOf("parasaus.service").flatMap(callsOf));
      process.stdout.write(`system calls: ${made.size} different ones made, ${allowed.size} allowed\n`);
      expect([...made].filter((name) => !allowed.has(name))).toEqual([]);
      expect(["bpf", "sendto", "epoll_pwait"].filter((name) => !made.has(name))).toEqual([]);
      expect(allowed.has("reboot")).toBe(false);
      // The server alone has no business with the kernel's programs.
      expect(filterOf("parasaus-server.service").flatMap(callsOf)).not.toContain("bpf");
    },
  );
});

/** What a unit lets through. */
function filterOf(unit: string): readonly string[] {
  return /^SystemCallFilter=(.*)$/m.exec(readFileSync(path.join(UNITS, unit), "utf8"))?.[1]?.split(" ") ?? [];
}

/** A call, or the calls in one of systemd's sets and in the sets in it. */
function callsOf(set: string): readonly string[] {
  if (!set.startsWith("@")) return [set];
  const lines = execFileSync("systemd-analyze", ["syscall-filter", set], { encoding: "utf8" })
    .split("\n")
    .slice(1);
  const names = lines.map((line) => line.trim()).filter((line) => /^@?[a-z]/.test(line));
  return names.flatMap(callsOf);
}
