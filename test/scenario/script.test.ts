import { expect, it } from "vitest";
import { formatScenario, mask, parseScenario } from "./script.ts";

const TEXT = `# What a pool is

# made from
$ parasaus apply -f - <<END
> kind: Pool
> END
pool.parasaus.io/web created
$ parasaus get pools
NAME   AGE
web    <age>
# done
$ true
`;

it("reads commands, here-documents and output, and writes them back unchanged", () => {
  const steps = parseScenario(TEXT);
  expect(steps.map(({ command }) => command)).toEqual([
    "parasaus apply -f - <<END\nkind: Pool\nEND",
    "parasaus get pools",
    "true",
  ]);
  expect(steps[1]?.output).toBe("NAME   AGE\nweb    <age>\n");
  expect(formatScenario(steps)).toBe(TEXT);
});

it("masks ages, times, uids, ports and folders, and the widths that depend on them", () => {
  const text =
    "NAME      AGE       SINCE\nweb       2m5s      119s\n2026-01-02T03:04:05Z http://127.0.0.1:40123 /tmp/x/kubeconfig\n";
  expect(mask(text, "/tmp/x")).toBe(
    "NAME   AGE   SINCE\nweb   <age>   <age>\n<time> http://127.0.0.1:<port> <dir>/kubeconfig\n",
  );
});

it("masks how busy a machine is in a table, and no other percentage", () => {
  expect(mask("node-1   0   12%   5s ago\nFail Open:   0%\n", "/tmp/x")).toBe(
    "node-1   0   <cpu>   <age> ago\nFail Open:   0%\n",
  );
});
