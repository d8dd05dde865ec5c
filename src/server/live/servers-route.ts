import type { FastifyInstance } from "fastify";
import type { ServersOverview } from "../../model/index.ts";
import { holderOf, type Store } from "../../store/index.ts";
import { LEADERS_PREFIX, LED_WORK, SERVERS_PREFIX, SHARDS_PREFIX } from "../coordination/keys.ts";
import { SHARD_COUNT } from "../coordination/shards.ts";

/** `GET /internal/v1/servers`: which servers there are, and what each does for all of them. */
export function serversRoute(store: Store): (app: FastifyInstance) => void {
  return (app) => {
    app.get("/internal/v1/servers", () => surveyServers(store));
  };
}

/** Reads from the held keys who does what. */
export async function surveyServers(store: Pick<Store, "range">): Promise<ServersOverview> {
  const read = async (prefix: string) =>
    (await store.range(prefix)).entries.map(({ key, value }) => ({
      name: key.slice(prefix.length),
      holder: holderOf(value) ?? "",
    }));
  const [servers, leaders, shards] = await Promise.all(
    [SERVERS_PREFIX, LEADERS_PREFIX, SHARDS_PREFIX].map(read),
  );
  const ids = [servers, leaders, shards].flatMap((held) => (held ?? []).map(({ holder }) => holder));
  const led = leaders ?? [];
  const countOf = (id: string) => (shards ?? []).filter(({ holder }) => holder === id).length;
  return {
    servers: [...new Set(ids)].sort().map((id) => ({
      id,
      leads: led.filter(({ holder }) => holder === id).map(({ name }) => name),
      shardCount: countOf(id),
    })),
    unled: LED_WORK.filter((work) => led.every(({ name }) => name !== work)),
    freeShardCount: SHARD_COUNT - (shards ?? []).length,
  };
}
