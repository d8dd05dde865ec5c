import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildProgram, type RunningProgram, startWithAccounts } from "../scenario/program.ts";
import { findKubectls } from "./kubectl.ts";

const PASSWORD = "correct horse battery";
const [kubectl] = findKubectls().found;

describe("accounts on the command line", () => {
  let program: RunningProgram;
  /** As somebody who cannot read the server's data directory, with a home of his own. */
  const elsewhere = (command: string) =>
    program.shell(`export PARASAUS_DATA_DIR=/nowhere HOME=$PWD/home; mkdir -p home; ${command}`);

  beforeAll(async () => {
    buildProgram();
    program = await startWithAccounts("up", "--driver", "memory", "--node-name", "node-1");
  });
  afterAll(() => program[Symbol.asyncDispose]());

  it("lets the owner work at once, and its agent, and nobody else", async () => {
    expect((await program.shell("parasaus get addresspools")).output).toContain("node-ports");
    await expect
      .poll(async () => (await program.shell("parasaus status")).output, { timeout: 20_000 })
      .toMatch(/node-1 .*True/);
    const { output, exitCode } = await elsewhere("parasaus get addresspools");
    expect([exitCode, output]).toEqual([1, expect.stringContaining("log in (parasaus login)")]);
  });

  it("makes the first administrator with the code that is shown once, who logs in and out", async () => {
    const [, code] = /First code +(\S+)/.exec(program.printed()) ?? [];
    const first = await elsewhere(
      `printf '%s\\n' ${code} '${PASSWORD}' | parasaus account first ann; echo '${PASSWORD}' | parasaus login ann`,
    );
    expect(first.output).toMatch(
      /account.parasaus.io\/ann is the first administrator[\s\S]*Logged in at .* as ann until/,
    );
    const file = path.join(program.folder, "home/.config/parasaus/logins.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await elsewhere("parasaus account list")).output).toMatch(/ann +admin everywhere +enabled/);
    const [login] = Object.values(JSON.parse(readFileSync(file, "utf8"))) as { token: string }[];
    expect((await elsewhere("parasaus logout")).output).toContain("Logged out");
    const after = await elsewhere(`PARASAUS_TOKEN=${login?.token} parasaus get addresspools`);
    expect([after.exitCode, after.output]).toEqual([1, expect.stringContaining("has ended")]);
  });

  it.skipIf(!kubectl)(
    "gives a program a token, with which kubectl works in its namespace and nowhere else",
    async () => {
      await program.shell(
        "printf 'kind: Namespace\\napiVersion: v1\\nmetadata: { name: shop }\\n' | parasaus apply -f -",
      );
      const made = await program.shell(
        "parasaus account create ci --role operator -n shop --no-password && parasaus token create deploy --account ci --for 1h 2>/dev/null > token",
      );
      expect(made).toEqual({ output: "account.parasaus.io/ci created\n", exitCode: 0 });
      const token = readFileSync(path.join(program.folder, "token"), "utf8").trim();
      const use = `sed "s/token: .*/token: ${token}/; /as: /d" data/kubeconfig > kc`;
      const works = await program.shell(`${use}; ${kubectl?.file} --kubeconfig kc get pools -n shop`);
      expect(works.output).toMatch(/No resources found/);
      const refused = await program.shell(`${kubectl?.file} --kubeconfig kc get pools -n default`);
      expect(refused.output).toMatch(
        /Forbidden.*the account "ci" cannot list pools.parasaus.io in the namespace "default"/s,
      );
      await program.shell("parasaus token delete ci.deploy");
      await expect
        .poll(async () => (await program.shell(`${kubectl?.file} --kubeconfig kc get pools -n shop`)).output)
        .toMatch(/Unauthorized|logged in/);
    },
  );
});
