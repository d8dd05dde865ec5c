import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Navigate,
  redirect,
} from "@tanstack/react-router";
import { readAddressSearch } from "../features/addresses/address-search.ts";
import { readLoginSearch } from "../features/login/login-search.ts";
import { readOperationSearch } from "../features/operations/operation-search.ts";
import { poolListUrl, readPoolSearch } from "../features/pools/pool-search.ts";
import { PoolsPage, WINDOW_COUNT } from "../features/pools/pools-page.tsx";
import { isSomebodyIn } from "../lib/session.ts";
import { beginView } from "../lib/use-view.ts";
import { NotFound } from "./not-found.tsx";
import { PageFailure } from "./page-failure.tsx";
import { Shell } from "./shell.tsx";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/pools", search: {} });
  },
});

/** Who is in has nothing to do here. */
const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: readLoginSearch,
  component: () => <Navigate to="/pools" search={{}} />,
});

const pools = createRoute({
  getParentRoute: () => root,
  path: "/pools",
  validateSearch: readPoolSearch,
  component: PoolsPage,
  // The list is on its way while the page is made.
  loader: ({ location, preload }) => {
    if (!preload && isSomebodyIn()) beginView(poolListUrl(readPoolSearch(location.search), 0, WINDOW_COUNT));
  },
  staleTime: Number.POSITIVE_INFINITY,
});

const pool = createRoute({
  getParentRoute: () => root,
  path: "/pools/$namespace/$name",
  component: lazyRouteComponent(() => import("../features/pool/pool-page.tsx"), "PoolPage"),
});

const newPool = createRoute({
  getParentRoute: () => root,
  path: "/new-pool",
  component: lazyRouteComponent(() => import("../features/edit/edit-page.tsx"), "NewPoolPage"),
});

const editPool = createRoute({
  getParentRoute: () => root,
  path: "/pools/$namespace/$name/edit",
  component: lazyRouteComponent(() => import("../features/edit/edit-page.tsx"), "EditPoolPage"),
});

const operations = createRoute({
  getParentRoute: () => root,
  path: "/operations",
  validateSearch: readOperationSearch,
  component: lazyRouteComponent(() => import("../features/operations/operations-page.tsx"), "OperationsPage"),
});

const overview = createRoute({
  getParentRoute: () => root,
  path: "/overview",
  component: lazyRouteComponent(() => import("../features/overview/overview-page.tsx"), "OverviewPage"),
});

const nodes = createRoute({
  getParentRoute: () => root,
  path: "/nodes",
  component: lazyRouteComponent(() => import("../features/nodes/nodes-page.tsx"), "NodesPage"),
});

const explain = createRoute({
  getParentRoute: () => root,
  path: "/explain",
  component: lazyRouteComponent(() => import("../features/explain/explain-page.tsx"), "ExplainPage"),
});

const health = createRoute({
  getParentRoute: () => root,
  path: "/health",
  validateSearch: readOperationSearch,
  component: lazyRouteComponent(() => import("../features/health/health-page.tsx"), "HealthPage"),
});

const addresses = createRoute({
  getParentRoute: () => root,
  path: "/addresses",
  validateSearch: readAddressSearch,
  component: lazyRouteComponent(() => import("../features/addresses/addresses-page.tsx"), "AddressesPage"),
});

const accounts = createRoute({
  getParentRoute: () => root,
  path: "/accounts",
  component: lazyRouteComponent(() => import("../features/accounts/accounts-page.tsx"), "AccountsPage"),
});

/** The pages, each with a path under `/console`. */
export const router = createRouter({
  routeTree: root.addChildren([
    ...[home, login, pools, pool, newPool, editPool],
    ...[operations, overview, nodes, explain, accounts, health, addresses],
  ]),
  basepath: "/console",
  defaultErrorComponent: PageFailure,
  defaultPreload: "intent",
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
