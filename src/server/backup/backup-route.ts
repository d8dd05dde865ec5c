import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { type Clock, VERSION } from "../../foundation/index.ts";
import { type Epoch, exportBackup } from "../../resources/local/index.ts";
import type { Store } from "../../store/index.ts";

/** What a running server is backed up from. */
export interface BackupRouteSource {
  readonly store: Store;
  readonly epoch: Epoch;
  readonly clock: Clock;
}

/** `GET /internal/v1/backup`: everything in the store at one revision. An answer without the last line is no backup. */
export function backupRoute({ store, epoch, clock }: BackupRouteSource): (app: FastifyInstance) => void {
  return (app) => {
    app.get("/internal/v1/backup", (_request, reply) => {
      const pieces = exportBackup({ store, epoch, version: VERSION, now: clock.now() });
      return reply
        .header("cache-control", "no-store")
        .type("application/jsonl")
        .send(Readable.from(pieces, { objectMode: false }));
    });
  };
}
