import type { ResourceDefinition } from "../../model/index.ts";
import { byGroup, verbsOf } from "./groups.ts";

/** `/api`: the versions of the core group. */
export function coreVersions(): unknown {
  return {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [],
  };
}

/** `/apis`: every named group. */
export function groupList(definitions: readonly ResourceDefinition[]): unknown {
  const groups = [...byGroup(definitions).keys()].filter((group) => group !== "");
  return { kind: "APIGroupList", apiVersion: "v1", groups: groups.map(groupEntry) };
}

/** `/apis/<group>`. */
export function groupDocument(group: string): unknown {
  return { kind: "APIGroup", apiVersion: "v1", ...groupEntry(group) };
}

function groupEntry(group: string): object {
  const version = { groupVersion: `${group}/v1`, version: "v1" };
  return { name: group, versions: [version], preferredVersion: version };
}

/** `/api/v1` or `/apis/<group>/v1`: the resources of a group. */
export function resourceList(definitions: readonly ResourceDefinition[], groupVersion: string): unknown {
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion,
    resources: definitions.flatMap(resourceEntries),
  };
}

function resourceEntries(definition: ResourceDefinition): object[] {
  const { plural, singular, namespaced, kind, shortNames, categories } = definition;
  const entry = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: verbsOf(definition),
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  };
  const status = {
    name: `${plural}/status`,
    singularName: "",
    namespaced,
    kind,
    verbs: statusVerbs(definition),
  };
  return definition.hasStatus ? [entry, status] : [entry];
}

function statusVerbs(definition: ResourceDefinition): readonly string[] {
  return definition.writable ? ["get", "patch", "update"] : ["get"];
}

/** Aggregated discovery (`apidiscovery.k8s.io`): the core group for `/api`, all others for `/apis`. */
export function aggregatedDiscovery(
  definitions: readonly ResourceDefinition[],
  path: "/api" | "/apis",
  version: "v2" | "v2beta1",
): unknown {
  const groups = [...byGroup(definitions)].filter(([group]) => (group === "") === (path === "/api"));
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(([group, members]) => ({
      metadata: group === "" ? {} : { name: group },
      versions: [{ version: "v1", freshness: "Current", resources: members.map(aggregatedResource) }],
    })),
  };
}

function aggregatedResource(definition: ResourceDefinition): object {
  const { group, version, kind, plural, singular, shortNames, categories } = definition;
  const responseKind = { group, version, kind };
  return {
    resource: plural,
    responseKind,
    scope: definition.namespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs: verbsOf(definition),
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(definition.hasStatus
      ? { subresources: [{ subresource: "status", responseKind, verbs: statusVerbs(definition) }] }
      : {}),
  };
}
