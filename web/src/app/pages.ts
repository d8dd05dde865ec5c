import type { IconName } from "../components/icons.tsx";
import type { TextKey } from "../i18n/use-texts.ts";

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
  { to: "/health", text: "health.title", icon: "health" },
  { to: "/addresses", text: "address.title", icon: "addresses", isOfCluster: true },
  { to: "/nodes", text: "nav.nodes", icon: "nodes", isOfCluster: true },
  { to: "/operations", text: "nav.operations", icon: "records" },
  { to: "/explain", text: "nav.explain", icon: "explain", isOfCluster: true },
  { to: "/accounts", text: "account.title", icon: "accounts" },
] as const satisfies readonly PageEntry[];
