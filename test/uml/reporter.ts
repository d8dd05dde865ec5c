import { appendFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node";
import { type GuestLine, RESULTS_VARIABLE } from "./guest-line.ts";

/** Runs in the guest: writes each result at once, so that those of a guest that dies later are not lost. */
class GuestReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result();
    const message =
      errors?.map(({ stack, message: words, diff = "" }) => `${stack ?? words}\n${diff}`).join("\n") ?? "";
    write({ kind: "result", name: test.fullName, state, message });
  }

  /** Set-up that fails: its tests are told as skipped. */
  onTestSuiteResult(suite: TestSuite): void {
    for (const { stack, message } of suite.errors())
      write({
        kind: "result",
        name: `${suite.fullName} (set-up)`,
        state: "failed",
        message: stack ?? message,
      });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly { readonly message: string }[]): void {
    const suites = modules.flatMap((module) => [...module.children.allSuites()]);
    const errors = [...[...modules, ...suites].flatMap((each) => each.errors()), ...unhandled];
    write({ kind: "end", errors: errors.map(({ message }) => message) });
  }
}

function write(line: GuestLine): void {
  appendFileSync(process.env[RESULTS_VARIABLE] ?? "", `${JSON.stringify(line)}\n`);
}

// biome-ignore lint/style/noDefaultExport: Vitest loads a reporter from a file by its default export
export default GuestReporter;
