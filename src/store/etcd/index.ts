export type { EtcdTls } from "./channel-credentials.ts";
export { type EtcdStoreOptions, openEtcdStore } from "./etcd-store.ts";
