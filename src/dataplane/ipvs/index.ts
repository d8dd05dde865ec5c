export { allowAdoption } from "./adoption.ts";
export { type IpvsDriver, openIpvsDriver } from "./driver.ts";
export { DEFAULT_TIMEOUTS, type IpvsDriverOptions } from "./options.ts";
export { isIpvsInstalled, openIpvsPredecessor } from "./predecessor.ts";
export type { SyncOptions } from "./sync.ts";
export { uninstallIpvs } from "./uninstall.ts";
