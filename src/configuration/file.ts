import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { ParasausError } from "../foundation/index.ts";
import { flagOf, SETTING_KEYS, type SettingKey } from "./settings.ts";

/** One line of the configuration file. */
export interface FileEntry {
  readonly text: string;
  /** 1-based. */
  readonly line: number;
}

const KEYS = new Map<string, SettingKey>(SETTING_KEYS.map((key) => [flagOf(key), key]));

/**
 * Reads a configuration file: a flat YAML mapping from flag names to values; lists may be YAML lists.
 *
 * @throws ParasausError `Usage` that names the file, the line and what is wrong there
 */
export function readConfigurationFile(path: string, content: string): ReadonlyMap<SettingKey, FileEntry> {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines });
  const refuse = (offset: number, message: string): never => {
    throw new ParasausError("Usage", `Cannot read "${path}": line ${lines.linePos(offset).line}: ${message}`);
  };
  const problem = document.errors[0];
  if (problem)
    refuse(problem.pos[0], problem.message.split("\n")[0]?.replace(/ at line.*$/, "") ?? "not YAML");
  const entries = new Map<SettingKey, FileEntry>();
  if (document.contents === null) return entries;
  if (!isMap(document.contents)) return refuse(0, "expected `setting: value` lines");
  for (const { key, value } of document.contents.items) {
    const offset = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
    const setting = KEYS.get(String(key));
    if (setting === undefined) {
      refuse(offset, `unknown setting "${String(key)}"${suggestion(String(key))}`);
      continue;
    }
    const text = textOf(value) ?? refuse(offset, `"${String(key)}" must be a value or a list of values`);
    entries.set(setting, { text, line: lines.linePos(offset).line });
  }
  return entries;
}

function textOf(node: unknown): string | undefined {
  if (isSeq(node)) {
    const items = node.items.map(textOf);
    return items.includes(undefined) ? undefined : items.join(",");
  }
  if (!isScalar(node)) return node === null ? "" : undefined;
  return node.value === null ? "" : (node.source ?? String(node.value));
}

function suggestion(found: string): string {
  const letters = (name: string) => name.toLowerCase().replaceAll(/[^a-z]/g, "");
  const near = [...KEYS.keys()].find((name) => {
    const [ours, theirs] = [letters(name), letters(found)];
    return ours === theirs || (theirs.length > 3 && (ours.startsWith(theirs) || theirs.startsWith(ours)));
  });
  return near === undefined ? "" : `; did you mean "${near}"?`;
}
