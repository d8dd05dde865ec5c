import { silentLogger } from "../../src/foundation/index.ts";
import { withWatchCache } from "../../src/store/cached/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import { reopening } from "./reopened-store.ts";
import { describeStore } from "./store.ts";
import { describeStoreModel } from "./store-model.ts";

/** The watch cache over the embedded store. */
const open = reopening(async (directory, clock) => {
  const common = { clock, logger: silentLogger };
  const embedded = await openEmbeddedStore({ directory, ...common });
  return withWatchCache(embedded, { prefix: "/", random: () => 0, ...common });
});

describeStore("watch cache over embedded", open);
describeStoreModel("watch cache over embedded", open);
