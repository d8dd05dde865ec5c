export { type EtcdStoreOptions, type EtcdTls, openEtcdStore } from "./etcd-store.ts";
