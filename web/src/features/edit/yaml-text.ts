import { parseDocument, stringify } from "yaml";
import { KUBECTL_SCALARS } from "../../../../src/model/decode/kubectl-scalars.ts";
import type { Draft } from "./draft.ts";

/** What came of reading YAML. */
export type YamlReading =
  | { readonly kind: "read"; readonly draft: Draft }
  /** `message` says where. */
  | { readonly kind: "wrong"; readonly message: string };

/** A draft as YAML. */
export function yamlOf(draft: Draft): string {
  return stringify(draft, { lineWidth: 0 });
}

/** Reads YAML as kubectl does. */
export function readYaml(text: string): YamlReading {
  const document = parseDocument(text, {
    customTags: (tags) => [...KUBECTL_SCALARS, ...tags],
  });
  const [wrong] = document.errors;
  if (wrong) return { kind: "wrong", message: wrong.message };
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { kind: "wrong", message: text.slice(0, 40) };
  }
  return { kind: "read", draft: value as Draft };
}
