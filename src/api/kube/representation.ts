/** The form that a client wants its answer in. */
export type Representation =
  | { readonly kind: "object" }
  | { readonly kind: "metadata" }
  | { readonly kind: "table"; readonly includeObject: IncludeObject };

/** What a table's rows carry besides their cells. */
export type IncludeObject = "None" | "Metadata" | "Object";

interface Accepted {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * The representation that an Accept header asks for: the first entry that can be served wins, as kubectl puts what it
 * likes best first. What nothing matches is answered with plain JSON.
 */
export function representationOf(
  accept: string | undefined,
  includeObject: string | undefined,
): Representation {
  for (const entry of parseAccept(accept)) {
    const representation = servedAs(entry, includeObject);
    if (representation) return representation;
  }
  return { kind: "object" };
}

function servedAs(
  { type, parameters }: Accepted,
  includeObject: string | undefined,
): Representation | undefined {
  if (!["application/json", "*/*", "application/*"].includes(type)) return undefined;
  const as = parameters.get("as");
  if (as === undefined) return { kind: "object" };
  if (parameters.get("v") !== "v1" || parameters.get("g") !== "meta.k8s.io") return undefined;
  if (as === "Table") return { kind: "table", includeObject: includeObjectOf(includeObject) };
  return as.startsWith("PartialObjectMetadata") ? { kind: "metadata" } : undefined;
}

/** The version of aggregated discovery that an Accept header asks for, or undefined for the plain documents. */
export function discoveryVersionOf(accept: string | undefined): "v2" | "v2beta1" | undefined {
  for (const { type, parameters } of parseAccept(accept)) {
    if (type !== "application/json") continue;
    if (parameters.get("g") !== "apidiscovery.k8s.io") return undefined;
    const version = parameters.get("v");
    if (parameters.get("as") === "APIGroupDiscoveryList" && (version === "v2" || version === "v2beta1"))
      return version;
  }
  return undefined;
}

function parseAccept(accept: string | undefined): Accepted[] {
  return (accept ?? "*/*").split(",").map((entry) => {
    const [type = "", ...parameters] = entry.split(";").map((part) => part.trim());
    return { type: type.toLowerCase(), parameters: new Map(parameters.map(splitParameter)) };
  });
}

function splitParameter(text: string): [string, string] {
  const [name = "", value = ""] = text.split("=");
  return [name.trim(), value.trim()];
}

function includeObjectOf(value: string | undefined): IncludeObject {
  return value === "None" || value === "Object" ? value : "Metadata";
}
