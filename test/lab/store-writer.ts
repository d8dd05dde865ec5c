// Writes to the store in the directory given, until it is killed or done; prints each key once it was acknowledged.
// store-writer.ts DIRECTORY ROUND [WRITERS [WRITES OF EACH]]
import { writeSync } from "node:fs";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";

const [directory = "", round = "0", writers = "8", writes = "Infinity"] = process.argv.slice(2);
const store = await openEmbeddedStore({ directory, clock: systemClock, logger: silentLogger });
const STDOUT = 1;

async function write(writer: number): Promise<void> {
  for (let count = 0; count < Number(writes); count += 1) {
    const key = `/${round}/${writer}/${count}`;
    await store.transact([], [{ kind: "put", key, value: `value of ${key}` }]);
    writeSync(STDOUT, `${key}\n`);
  }
}

await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => write(writer)));
await store[Symbol.asyncDispose]();
