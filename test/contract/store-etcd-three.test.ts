import { etcdWorld } from "./etcd-world.ts";
import { describeStore } from "./store.ts";

describeStore("etcd, three members", etcdWorld(3));
