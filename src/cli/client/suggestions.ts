import { DEFINITIONS, type ResourceDefinition } from "../../model/index.ts";
import { connectTo } from "./connection.ts";
import type { Servers } from "./kubeconfig.ts";

/** Shells wait for us: an answer that takes longer is none. */
const PATIENCE_MS = 700;
const VERBS_WITH_KINDS = ["get", "describe", "delete"];

/**
 * What the word after `words` may be: kinds, then the names of the kind's objects, asked from the server.
 * No server, no names.
 */
export async function suggestNames(
  words: readonly string[],
  servers: Servers,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const plain = words.filter((word) => !word.startsWith("-"));
  const [verb, kind] = plain;
  const isFirst = plain.length <= 2;
  if (verb === "drain") return isFirst ? slashed(await namesOf("pool", words, servers, signal), "pool") : [];
  if (verb === undefined || !VERBS_WITH_KINDS.includes(verb)) return [];
  if (!isFirst) return namesOf(kind ?? "", words, servers, signal);
  if (kind?.includes("/"))
    return slashed(await namesOf(kind.split("/")[0] ?? "", words, servers, signal), kind.split("/")[0] ?? "");
  return DEFINITIONS.map(({ plural }) => plural);
}

function slashed(names: readonly string[], kind: string): readonly string[] {
  return names.map((name) => `${kind}/${name}`);
}

async function namesOf(
  kind: string,
  words: readonly string[],
  servers: Servers,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const definition = DEFINITIONS.find(({ plural, singular, shortNames }) =>
    [plural, singular, ...shortNames].includes(kind),
  );
  if (!definition) return [];
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    const { resources } = connectTo(servers, deadline);
    const { items } = await resources.list(definition, selection(definition, words));
    return items.map(({ metadata }) => metadata.name);
  } catch {
    return [];
  }
}

function selection({ namespaced }: ResourceDefinition, words: readonly string[]): { namespace?: string } {
  const at = words.findIndex((word) => word === "-n" || word === "--namespace");
  const namespace = at < 0 ? "default" : words[at + 1];
  return namespaced && namespace !== undefined ? { namespace } : {};
}
