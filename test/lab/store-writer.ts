// Writes to the store in the directory given, until it is killed or done; prints each key once it was acknowledged.
// store-writer.ts DIRECTORY ROUND [WRITERS [WRITES OF EACH]]
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";

const [directory = "", round = "0", writers = "8", writes = "Infinity"] = process.argv.slice(2);
const store = await openEmbeddedStore({ directory, clock: systemClock, logger: silentLogger });

async function write(writer: number): Promise<void> {
  for (let count = 0; count < Number(writes); count += 1) {
    const key = `/${round}/${writer}/${count}`;
    await store.transact([], [{ kind: "put", key, value: `value of ${key}` }]);
    // Whoever reads may be slow: then the pipe is full, and the writer waits.
    await new Promise((resolve) => process.stdout.write(`${key}\n`, resolve));
  }
}

await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => write(writer)));
await store[Symbol.asyncDispose]();
