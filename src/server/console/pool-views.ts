import type { OperationLog, PoolCatalogue, View } from "../../api/index.ts";
import { ParasausError } from "../../foundation/index.ts";
import { type Operation, operationDefinition, type PoolPage } from "../../model/index.ts";
import type { Resources } from "../../resources/index.ts";
import { type PoolDetailSource, readPoolDetail } from "./pool-detail.ts";
import { operationQuestion, poolQuestion } from "./questions.ts";
import type { TrafficReader, TrafficReport } from "./traffic.ts";

/** What the views of pools are made of. */
export interface PoolViewsSource {
  readonly catalogue: PoolCatalogue;
  readonly traffic: TrafficReader;
  readonly onChange: View["onChange"];
}

const LIST_PERIOD_MS = 2_000;
/** The list does not wait for its connection counts: they come with the next look. */
const TRAFFIC_PATIENCE_MS = 20;
const DETAIL_PERIOD_MS = 1_000;

/** `GET /api/console/pools`: a part of the pools that a search finds. */
export function poolListView({ catalogue, traffic, onChange }: PoolViewsSource): View {
  return {
    url: "/api/console/pools",
    onChange,
    periodMs: LIST_PERIOD_MS,
    read: async (question) => {
      const page = catalogue.find(poolQuestion(question));
      const uids = page.rows.map(({ uid }) => uid);
      return withTraffic(page, await traffic(uids, TRAFFIC_PATIENCE_MS));
    },
  };
}

function withTraffic(page: PoolPage, { pools }: TrafficReport): PoolPage {
  const rows = page.rows.map((row) => {
    const members = pools.get(row.uid);
    if (!members) return row;
    const connectionCount = [...members.values()].reduce((sum, { activeCount }) => sum + activeCount, 0);
    return { ...row, connectionCount };
  });
  return { ...page, rows };
}

/** `GET /api/console/pools/NAMESPACE/NAME`: all that is known of one pool. */
export function poolDetailView(source: PoolDetailSource, onChange: View["onChange"]): View {
  return {
    url: "/api/console/pools/:namespace/:name",
    onChange,
    periodMs: DETAIL_PERIOD_MS,
    read: (question) => readPoolDetail(source, question),
  };
}

/** `GET /api/console/operations/NAME`: one operation, with what the objects were before and after. */
export function operationView(resources: Pick<Resources, "get">): View {
  return {
    url: "/api/console/operations/:name",
    onChange: () => () => undefined,
    read: async ({ path: { name = "" }, sight }) => {
      const operation = (await resources.get({ definition: operationDefinition, name })) as Operation;
      const { spec } = operation;
      const objects = [spec, ...(spec.also ?? [])].map(({ object }) => object);
      if (sight.operation({ ...spec, objects })) return operation;
      throw new ParasausError("NotFound", `operations.parasaus.io "${name}" not found`);
    },
  };
}

/** `GET /api/console/operations`: a part of the operations that a search finds. */
export function operationListView(log: OperationLog, onChange: View["onChange"]): View {
  return {
    url: "/api/console/operations",
    onChange,
    read: (question) => log.find(operationQuestion(question)),
  };
}
