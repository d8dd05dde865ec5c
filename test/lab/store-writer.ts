// Writes to the store in the directory given until it is killed; prints each key once it was acknowledged.
import { writeSync } from "node:fs";
import { silentLogger, systemClock } from "../../src/foundation/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";

const [directory = "", round = "0"] = process.argv.slice(2);
const store = await openEmbeddedStore({ directory, clock: systemClock, logger: silentLogger });
const STDOUT = 1;

async function writeForEver(writer: number): Promise<never> {
  for (let count = 0; ; count += 1) {
    const key = `/${round}/${writer}/${count}`;
    await store.transact([], [{ kind: "put", key, value: `value of ${key}` }]);
    writeSync(STDOUT, `${key}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, (_, writer) => writeForEver(writer)));
