import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { ParasausError } from "../../foundation/index.ts";
import { type Invocation, isSet, listOption, type VerbOption } from "../verb.ts";
import { type Manifest, readManifests } from "./manifest.ts";

/** The flags that name files. */
export const FILE_OPTIONS: readonly VerbOption[] = [
  {
    flags: "-f, --filename <file>",
    description: "YAML or JSON file, directory, or - for standard input",
    repeatable: true,
  },
  { flags: "-R, --recursive", description: "the directories inside directories too" },
];

const FILE_NAME = /\.(ya?ml|json)$/;

/** Every object of every file that `-f` names, in order. @throws ParasausError `BadRequest` when one cannot be read */
export async function collectManifests(invocation: Invocation): Promise<readonly Manifest[]> {
  const manifests: Manifest[] = [];
  for (const name of listOption(invocation, "filename")) {
    if (name === "-") {
      manifests.push(...readManifests("standard input", await invocation.terminal.readStdin()));
      continue;
    }
    for (const file of filesOf(name, isSet(invocation, "recursive"))) {
      manifests.push(...readManifests(file, readText(file)));
    }
  }
  if (manifests.length === 0) {
    throw new ParasausError("Usage", "Cannot find any object: no file with objects was given with -f");
  }
  return manifests;
}

function filesOf(name: string, isRecursive: boolean): readonly string[] {
  const status = statSync(name, { throwIfNoEntry: false });
  if (!status)
    throw new ParasausError("BadRequest", `Cannot read "${name}": there is no such file or directory`);
  if (!status.isDirectory()) return [name];
  const entries = readdirSync(name, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const inside = path.join(name, entry.name);
    if (entry.isDirectory()) return isRecursive ? filesOf(inside, true) : [];
    return FILE_NAME.test(entry.name) ? [inside] : [];
  });
}

/** @throws ParasausError `BadRequest` when the file cannot be read */
export function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new ParasausError("BadRequest", `Cannot read "${file}": ${(cause as Error).message}`, { cause });
  }
}
