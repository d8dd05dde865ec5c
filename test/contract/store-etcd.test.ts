import { etcdWorld } from "./etcd-world.ts";
import { describeStore } from "./store.ts";
import { describeStoreModel } from "./store-model.ts";

const open = etcdWorld(1);

describeStore("etcd, one member", open);
describeStoreModel("etcd, one member", open);
