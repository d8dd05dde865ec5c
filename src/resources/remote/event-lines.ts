import { ParasausError } from "../../foundation/index.ts";
import type { KubeObject } from "../../model/index.ts";
import type { WatchEvent } from "../resources.ts";
import { refusalOf } from "./failures.ts";

const LONGEST_LINE_CHARACTERS = 64 * 1024 * 1024;

/** Splits a byte stream into its lines; a last line without an end is cut off and not delivered. */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST_LINE_CHARACTERS) {
      throw new ParasausError("TooLarge", "Cannot read the watch: an event is larger than 64 MiB");
    }
    for (const line of lines) if (line !== "") yield line;
  }
}

/**
 * Reads one line of a watch.
 *
 * @param kind Of the objects that are watched.
 * @throws ParasausError the refusal that an ERROR event carries, or `Unavailable` for what is no event of this kind
 */
export function parseEvent(line: string, kind: string): WatchEvent {
  const { type, object } = parseLine(line);
  if (type === "ERROR") throw refusalOf(object?.code ?? 500, object);
  if (type === "BOOKMARK") return { type, resourceVersion: object.metadata.resourceVersion ?? "" };
  if (object?.kind !== kind || !object.metadata?.name) {
    const found = object?.kind ?? "something else";
    throw new ParasausError("Unavailable", `Cannot read the watch: expected a ${kind}, found ${found}`);
  }
  if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") return { type, object };
  throw new ParasausError("Unavailable", `Cannot read the watch: "${type}" is no event`);
}

function parseLine(line: string): { type: string; object: KubeObject & { code?: number } } {
  try {
    return JSON.parse(line) as { type: string; object: KubeObject };
  } catch (cause) {
    throw new ParasausError("Unavailable", "Cannot read the watch: a line is no JSON", { cause });
  }
}
