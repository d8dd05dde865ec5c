import type { Logger } from "../../foundation/index.ts";
import type { RecordPlace } from "./record.ts";
import type { SyncOptions } from "./sync.ts";
import type { TableTimeouts } from "./table.ts";

/** How the node forwards. */
export interface IpvsDriverOptions extends RecordPlace {
  readonly timeouts?: Partial<TableTimeouts>;
  /** Absent: nodes tell each other nothing. */
  readonly sync?: SyncOptions;
  readonly logger: Logger;
}

/** As the eBPF driver has them: established longer than TCP's keep-alive of two hours. */
export const DEFAULT_TIMEOUTS: TableTimeouts = {
  establishedSeconds: 7_800,
  closingSeconds: 60,
  datagramSeconds: 120,
};
