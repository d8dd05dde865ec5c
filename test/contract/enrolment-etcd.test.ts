import { describeEnrolment } from "./enrolment.ts";
import { etcdWorld } from "./etcd-world.ts";

const open = etcdWorld(1);
describeEnrolment("etcd", async () => (await open()).store);
