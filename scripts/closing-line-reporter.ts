import type { Reporter, TestCase, TestModule } from "vitest/node";

/**
 * Says what was skipped and why, then what failed, and ends with the one line that CI reads: whoever sees only the end of
 * a log sees what is wrong.
 */
class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const inState = (state: string) => tests.filter((test) => test.result().state === state);
    const broken = modules.filter((module) => module.errors().length > 0);
    const [passed, failed, skipped] = [inState("passed"), inState("failed"), inState("skipped")];
    for (const [where, count] of groupedBySuite(skipped)) say(`skipped: ${where}: ${count}`);
    for (const test of failed)
      say(`failed: ${test.module.relativeModuleId} > ${test.fullName}: ${reasonOf(test)}`);
    for (const module of broken)
      say(`failed: ${module.relativeModuleId}: ${firstLine(module.errors()[0]?.message)}`);
    const skips = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
    say(`${passed.length} passed, ${failed.length + broken.length} failed${skips}`);
  }
}

/** How many tests were skipped in each suite; its name has the reason. */
function groupedBySuite(tests: readonly TestCase[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const test of tests) {
    const [suite = ""] = test.fullName.split(" > ");
    const where = `${test.module.relativeModuleId} > ${suite}`;
    counts.set(where, (counts.get(where) ?? 0) + 1);
  }
  return counts;
}

function reasonOf(test: TestCase): string {
  return firstLine(test.result().errors?.[0]?.message);
}

function firstLine(text = ""): string {
  return text.split("\n")[0] ?? "";
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

// biome-ignore lint/style/noDefaultExport: Vitest loads a reporter from a file by its default export
export default ClosingLineReporter;
