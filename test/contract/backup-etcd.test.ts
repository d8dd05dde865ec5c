import { describeBackup } from "./backup.ts";
import { emptyStore, etcdWorld } from "./etcd-world.ts";

const world = etcdWorld();

describeBackup("etcd, one member", async () => (await emptyStore(world, world.openStore)).store);
