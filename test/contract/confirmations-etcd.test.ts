import type { Store } from "../../src/store/index.ts";
import { describeConfirmations } from "./confirmations.ts";
import { etcdWorld } from "./etcd-world.ts";

const world = etcdWorld();

describeConfirmations("etcd, as servers use it", async () => {
  world.cluster().wipe();
  let store: Store = await world.openCached();
  return {
    store: () => store,
    reopen: async () => {
      store = await world.openCached();
    },
  };
});
