import { pino } from "pino";
import { prettyFactory } from "pino-pretty";
import type { LogFacts, Logger, Output } from "../foundation/index.ts";

/** How the program logs. */
export interface LoggingOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  /** `auto`: pretty where a person looks. */
  readonly format: "auto" | "json" | "pretty";
  readonly output: Output;
  /** No colours, whatever the output is. */
  readonly isPlain: boolean;
}

/** The program's own logger: one JSON object a line, or the same for people. */
export function createLogger({ level, format, output, isPlain }: LoggingOptions): Logger {
  const isPretty = format === "pretty" || (format === "auto" && output.isTerminal);
  const beautify = prettyFactory({
    colorize: output.isTerminal && !isPlain,
    timestampKey: "ts",
    translateTime: "SYS:HH:MM:ss.l",
    messageFormat: "{logger}: {msg}",
    ignore: "logger",
    singleLine: true,
    errorLikeObjectKeys: ["error"],
  });
  const stream = { write: (line: string) => output.write(isPretty ? String(beautify(line)) : line) };
  const root = pino(
    {
      level,
      base: null,
      messageKey: "msg",
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.errWithCause },
    },
    stream,
  );
  return wrap(root, { logger: "parasaus" });
}

type Write = (facts: LogFacts, event: string) => void;
type Writer = Readonly<Record<"debug" | "info" | "warn" | "error", Write>>;

/** pino takes the facts first and lets a child repeat a key; here a child's facts replace its parent's. */
function wrap(inner: Writer, inherited: LogFacts = {}): Logger {
  const at =
    (level: "debug" | "info" | "warn" | "error") =>
    (event: string, facts: LogFacts = {}) =>
      inner[level]({ ...inherited, ...facts }, event);
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (facts) => wrap(inner, { ...inherited, ...facts }),
  };
}
