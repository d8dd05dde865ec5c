import type { Reporter, TestModule } from "vitest/node";

/** Names every skipped test with its reason, and ends with the one line that CI reads. */
class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    for (const test of tests.filter((each) => each.result().state === "skipped")) {
      process.stdout.write(`skipped: ${test.fullName}\n`);
    }
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const skipped = count("skipped");
    process.stdout.write(
      `${count("passed")} passed, ${count("failed") + broken} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`,
    );
  }
}

// biome-ignore lint/style/noDefaultExport: Vitest loads a reporter from a file by its default export
export default ClosingLineReporter;
