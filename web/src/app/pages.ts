import type { TextKey } from "../i18n/use-texts.ts";
import type { IconName } from "../components/icons.tsx";

/** One page in the navigation. */
interface PageEntry {
  readonly to: string;
  readonly text: TextKey;
  readonly icon: IconName;
  /** Is about the whole cluster: nothing for who may see single namespaces only. */
  readonly isOfCluster?: boolean;
}

/** The pages that the navigation lists, in order. */
export const PAGES = [
  { to: "/overview", text: "nav.overview", icon: "overview" },
  { to: "/pools", text: "nav.pools", icon: "pools" },
  { to: "/nodes", text: "nav.nodes", icon: "nodes", isOfCluster: true },
  { to: "/operations", text: "nav.operations", icon: "records" },
  { to: "/explain", text: "nav.explain", icon: "explain", isOfCluster: true },
] as const satisfies readonly PageEntry[];
