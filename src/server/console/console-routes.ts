import type { FastifyInstance } from "fastify";
import { consoleFiles, type NodeRequests, PoolCatalogue, viewRoutes } from "../../api/index.ts";
import type { KubeObject, Node } from "../../model/index.ts";
import type { Parts } from "../parts.ts";
import { accountListView } from "./account-view.ts";
import { addressListView, addressPoolListView } from "./address-views.ts";
import { healthView, nodeListView, overviewView } from "./fleet-views.ts";
import { operationListView, operationView, poolDetailView, poolListView } from "./pool-views.ts";
import { probeRoute } from "./probe-route.ts";
import { createTrafficReader } from "./traffic.ts";

/** What the console shows besides what is stored. */
export interface ConsoleSources {
  readonly nodes: NodeRequests;
  /** Joins what is not stored into an object. */
  readonly decorate: (object: KubeObject) => Promise<KubeObject>;
  /** Every Node, with what its agent said last. */
  readonly readNodes: () => Promise<readonly Node[]>;
}

/** The console: its files at `/console/`, and what it shows at `/api/console/…`. */
export function consoleRoutes(
  { clock, consoleDirectory, controllers, operations, resources, view }: Parts,
  { nodes, decorate, readNodes }: ConsoleSources,
): (app: FastifyInstance) => void {
  const { log } = operations;
  const onChange = (listener: () => void) => {
    const ends = [view.onChange(listener), operations.onChange(listener)];
    return () => {
      for (const end of ends) end();
    };
  };
  const catalogue = new PoolCatalogue({ ...view, lastOperationOf: (pool) => log.lastOf(pool) });
  const traffic = createTrafficReader(nodes, clock);
  const probeLedger = () => controllers()?.probeLedger;
  const detail = { catalogue, log, traffic, probeLedger, decorate, now: () => clock.now() };
  const addresses = { resources, pools: view.pools, onChange: view.onChange };
  const fleet = { catalogue, nodes, readNodes, onChange };
  const views = viewRoutes(
    [
      poolListView({ catalogue, traffic, onChange }),
      poolDetailView(detail, onChange),
      overviewView(fleet),
      healthView(fleet),
      nodeListView(fleet),
      operationListView(log, operations.onChange),
      operationView(resources),
      addressPoolListView(addresses),
      addressListView(addresses),
      accountListView({ resources, log, onChange: operations.onChange }),
    ],
    clock,
  );
  const probe = probeRoute({ catalogue, nodes, controllers, clock });
  const files = consoleFiles(consoleDirectory);
  return (app) => {
    files(app);
    views(app);
    probe(app);
  };
}
