import { emptyStore, etcdWorld } from "./etcd-world.ts";
import { describeStore } from "./store.ts";
import { describeStoreModel } from "./store-model.ts";

const world = etcdWorld();
const open = () => emptyStore(world, world.openStore);

describeStore("etcd, one member", open);
describeStoreModel("etcd, one member", open);
