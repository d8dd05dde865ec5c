import { describeEnrolment } from "./enrolment.ts";
import { emptyStore, etcdWorld } from "./etcd-world.ts";

const world = etcdWorld();

describeEnrolment("etcd", async () => (await emptyStore(world, world.openStore)).store);
