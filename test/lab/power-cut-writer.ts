/**
 * Runs where the power is cut: tells which of the keys in a file the store has lost, then writes until it is killed and
 * prints each key once it was acknowledged. Lines before are `checked {"lost":[...],"storedCount":n}` or `refused CODE`.
 *
 *     power-cut-writer.mjs DIRECTORY FILE_OF_KEYS ROUND WRITERS
 */
import { readFileSync, writeSync } from "node:fs";
import { ParasausError, silentLogger, systemClock } from "../../src/foundation/index.ts";
import { openEmbeddedStore } from "../../src/store/embedded/index.ts";
import type { Store } from "../../src/store/index.ts";

const STDOUT = 1;
const [directory = "", keysFile = "", round = "0", writers = "8"] = process.argv.slice(2);

const store = await openEmbeddedStore({ directory, clock: systemClock, logger: silentLogger }).catch(
  (failure: unknown) => {
    writeSync(STDOUT, `refused ${failure instanceof ParasausError ? failure.code : String(failure)}\n`);
  },
);
if (store) {
  await check(store);
  await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => write(store, writer)));
  await store[Symbol.asyncDispose]();
}

async function check(opened: Store): Promise<void> {
  const { entries } = await opened.range("/");
  const stored = new Map(entries.map(({ key, value }) => [key, value]));
  const acknowledged = readFileSync(keysFile, "utf8").split("\n").filter(Boolean);
  const lost = acknowledged.filter((key) => stored.get(key) !== `value of ${key}`);
  writeSync(STDOUT, `checked ${JSON.stringify({ lost, storedCount: stored.size })}\n`);
}

async function write(opened: Store, writer: number): Promise<void> {
  for (let count = 0; ; count += 1) {
    const key = `/${round}/${writer}/${count}`;
    await opened.transact([], [{ kind: "put", key, value: `value of ${key}` }]);
    writeSync(STDOUT, `${key}\n`);
  }
}
