import { emptyStore, etcdWorld } from "./etcd-world.ts";
import { describeStore } from "./store.ts";

const world = etcdWorld(3);

describeStore("etcd, three members", () => emptyStore(world, world.openStore));
