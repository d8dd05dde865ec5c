export { openEbpfDriver } from "./driver.ts";
export type { EbpfCapacities, EbpfDriverOptions, EbpfTimeouts, LocalClients } from "./options.ts";
export { openEbpfPredecessor } from "./predecessor.ts";
export { uninstallEbpf } from "./uninstall.ts";
