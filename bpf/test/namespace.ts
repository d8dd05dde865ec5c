import { execFileSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
// The programs' tests move their own thread between network namespaces, which no room of the product does.
import { bindLibrary } from "../../src/linux/native.ts";

const CLONE_NEWNET = 0x40000000;

/** A network namespace of the test's own, which this thread is in until it is disposed of. */
export function enterNamespace(name: string): Disposable {
  run("ip", "netns", "add", name);
  const home = openSync("/proc/thread-self/ns/net", "r");
  const away = openSync(`/run/netns/${name}`, "r");
  const { setns } = bindLibrary(null, "Run on Linux", { setns: "int setns(int fd, int kind)" });
  if (setns(away, CLONE_NEWNET) !== 0) throw new Error(`Cannot enter network namespace "${name}"`);
  closeSync(away);
  return {
    [Symbol.dispose]() {
      setns(home, CLONE_NEWNET);
      closeSync(home);
      run("ip", "netns", "del", name);
    },
  };
}

/** Runs a program to its end. Its words are in the error when it fails. */
export function run(command: string, ...parameters: readonly string[]): string {
  const PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  return execFileSync(command, parameters, {
    encoding: "utf8",
    env: { ...process.env, PATH },
    stdio: "pipe",
  });
}
