import { expect, it } from "vitest";
import { createLogger } from "./logging.ts";

function capture(options: { format: "auto" | "json" | "pretty"; isTerminal: boolean; isPlain?: boolean }) {
  const lines: string[] = [];
  const output = { write: (text: string) => void lines.push(text), isTerminal: options.isTerminal };
  const log = createLogger({
    level: "info",
    format: options.format,
    output,
    isPlain: options.isPlain ?? false,
  });
  return { lines, log };
}

it("writes one JSON object a line with level, RFC 3339 time, logger and flat facts", () => {
  const { lines, log } = capture({ format: "auto", isTerminal: false });
  log.child({ logger: "allocator" }).info("connect address allocated", { pool: "web", port: 40_796 });
  expect(lines).toHaveLength(1);
  const { ts, ...line } = JSON.parse(lines[0] ?? "") as Record<string, unknown>;
  expect(line).toEqual({
    level: "info",
    logger: "allocator",
    pool: "web",
    port: 40_796,
    msg: "connect address allocated",
  });
  expect(ts).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

it("writes for people on a terminal, without colours when asked", () => {
  const { lines, log } = capture({ format: "auto", isTerminal: true, isPlain: true });
  log.warn("agent ended", { attempt: 2 });
  expect(lines.join("")).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: parasaus: agent ended \{"attempt":2\}\n$/);
});

it("keeps an error's message, code and cause", () => {
  const { lines, log } = capture({ format: "json", isTerminal: true });
  log.error("probe failed", { error: new Error("outer", { cause: new Error("inner") }) });
  expect(lines[0]).toContain('"message":"outer"');
  expect(lines[0]).toContain('"message":"inner"');
});

it("leaves out what is below the level", () => {
  const { lines, log } = capture({ format: "json", isTerminal: false });
  log.debug("why");
  expect(lines).toEqual([]);
});
