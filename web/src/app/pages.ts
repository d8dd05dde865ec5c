/** The pages that the navigation lists, in order. */
export const PAGES = [
  { to: "/overview", text: "nav.overview", icon: "overview" },
  { to: "/pools", text: "nav.pools", icon: "pools" },
  { to: "/nodes", text: "nav.nodes", icon: "nodes" },
  { to: "/operations", text: "nav.operations", icon: "records" },
  { to: "/explain", text: "nav.explain", icon: "explain" },
] as const;
