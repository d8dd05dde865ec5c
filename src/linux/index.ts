export {
  attachTcFilter,
  attachToCgroup,
  type BpfLink,
  detachTcFilter,
  openPinnedLink,
  queryTcFilter,
  replaceLinkProgram,
  type TcDirection,
  type TcPlace,
} from "./bpf-attach.ts";
export {
  type BpfMap,
  openPinnedMap,
  UPDATE_CREATE,
  UPDATE_REPLACE,
} from "./bpf-map.ts";
export type { MapBatch } from "./bpf-map-walk.ts";
export { type LoadedObject, type LoadOptions, loadBpfObject } from "./bpf-object.ts";
export {
  type BpfProgram,
  openPinnedProgram,
  pinObject,
  programNameOf,
  type TestRunResult,
  testRun,
} from "./bpf-program.ts";
export { FORWARDING_CAPABILITIES, missingCapabilities } from "./capabilities.ts";
export { ensureBpfFs, findCgroup2Root, netnsCookie, readSysctl, writeSysctl } from "./environment.ts";
export { type IpvsTable, openIpvs } from "./ipvs/ipvs-table.ts";
export { changedIpvsServices, readIpvsListing } from "./ipvs/listing.ts";
export { ipvsDestinationName, ipvsServiceName } from "./ipvs/names.ts";
export type {
  IpvsCommand,
  IpvsDaemon,
  IpvsDestination,
  IpvsDestinationKey,
  IpvsDestinationSettings,
  IpvsFailure,
  IpvsForwarding,
  IpvsInfo,
  IpvsProtocol,
  IpvsRates,
  IpvsService,
  IpvsServiceEntry,
  IpvsServiceFlags,
  IpvsServiceKey,
  IpvsServiceSettings,
  IpvsStats,
  IpvsTimeouts,
  IpvsTunnel,
} from "./ipvs/types.ts";
export { errnoOf } from "./kernel-error.ts";
export { type LocalRoutes, openLocalRoutes } from "./local-routes.ts";
export {
  type Masquerade,
  type MasqueradedFamily,
  type MasqueradedService,
  openMasquerade,
} from "./masquerade.ts";
export {
  type DeviceAddress,
  listAddresses,
  listDevices,
  type NetworkDevice,
  networkDigest,
  openRouteFinder,
  type Route,
  type RouteFinder,
} from "./network.ts";
export { type NetworkChange, type WatchNetworkOptions, watchNetwork } from "./network-watch.ts";
export { openPortMarks, type PortMark, type PortMarks } from "./port-marks.ts";
export { openResetSender, type ResetSender, type TcpReset } from "./reset-sender.ts";
export { destroySocket, type InetSocket, listSockets } from "./socket-diag.ts";
