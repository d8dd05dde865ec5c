import { describe, expect, it } from "vitest";
import { hasCode, ParasausError, silentLogger, systemClock } from "../../src/foundation/index.ts";
import { poolDefinition } from "../../src/model/index.ts";
import { ORIGINAL_EPOCH, readEpoch, refuseUnfinished } from "../../src/resources/local/index.ts";
import { holdLease, type Store } from "../../src/store/index.ts";
import {
  backUp,
  backUpUnderWrites,
  codeOf,
  countWrites,
  createPools,
  damagesOf,
  decode,
  delegate,
  failAfter,
  filled,
  firstOf,
  listAll,
  REGISTRY,
  resourcesOf,
  restore,
  revisionsOfOperations,
  withoutVersion,
} from "./backup-world.ts";

const DAMAGES = 200;

/** What every store must give back out of a backup. `open` makes an empty store, and may empty the one before. */
export function describeBackup(name: string, open: () => Promise<Store>): void {
  describe(`backup and restore: ${name}`, () => {
    it("brings back 1,000 pools and their Operations, equal but for their resourceVersions", async () => {
      const { text, before } = await filled(await open(), 1_000);
      const store = await open();
      const done = await restore(store, await decode(text));
      const after = await listAll(await resourcesOf(store));
      process.stdout.write(`round trip on ${name}: ${after.length} objects\n`);
      expect(after.map(withoutVersion)).toEqual(before.map(withoutVersion));
      expect(after.length).toBeGreaterThan(2_000);
      expect(done).toEqual({ epoch: 2, writtenCount: after.length, deletedCount: 0, isResumed: false });
    });

    it("keeps for each Operation the revision of its change, also when it is backed up again", async () => {
      const { text, before } = await filled(await open(), 3);
      const once = await open();
      await restore(once, await decode(text));
      const again = await backUp(once);
      const twice = await open();
      await restore(twice, await decode(again));
      const after = await listAll(await resourcesOf(twice));
      expect(revisionsOfOperations(after)).toEqual(revisionsOfOperations(before));
      expect(new Set(revisionsOfOperations(after)).size).toBe(3);
    });

    describe("while writes go on", () => {
      const PAIRS = 600;

      it("is true at one revision: what was written together is in together", async () => {
        const store = await open();
        const { torn, writes } = await backUpUnderWrites(store, store, PAIRS);
        process.stdout.write(`consistent cut on ${name}: ${PAIRS} pairs, ${writes} writes, ${torn} torn\n`);
        expect(writes).toBeGreaterThan(50);
        expect(torn).toBe(0);
      });

      it("is torn when its pages are not read at one revision, which shows that the test can tell", async () => {
        const store = await open();
        const sabotaged: Pick<Store, "range"> = {
          range: (prefix, { revision: _, ...options } = {}) => store.range(prefix, options),
        };
        expect((await backUpUnderWrites(store, sabotaged, PAIRS)).torn).toBeGreaterThan(0);
      });
    });

    it("holds no lease and nothing that is held under one", async () => {
      const store = await open();
      await resourcesOf(store);
      const clock = systemClock;
      await using lease = await holdLease({
        store,
        clock,
        logger: silentLogger,
        holder: "s1",
        ttlSeconds: 60,
      });
      expect(await lease.take("/parasaus/leaders/allocator")).toBeDefined();
      const { entries } = await decode(await backUp(store));
      expect(entries.length).toBeGreaterThan(1);
      expect(entries.filter(({ key }) => !key.startsWith(REGISTRY))).toEqual([]);
    });

    it(`refuses each of ${DAMAGES} backups that were cut short or have one bit flipped, and writes nothing`, async () => {
      const { text } = await filled(await open(), 20);
      const store = await open();
      const counted = countWrites(store);
      let refused = 0;
      for (const damaged of damagesOf(Buffer.from(text), DAMAGES)) {
        const failure = await decode(damaged)
          .then((backup) => restore(counted.store, backup))
          .catch((error: unknown) => error);
        if (hasCode(failure, "Invalid")) refused += 1;
      }
      process.stdout.write(
        `damage on ${name}: ${refused} of ${DAMAGES} refused, ${counted.count()} writes\n`,
      );
      expect(refused).toBe(DAMAGES);
      expect(counted.count()).toBe(0);
      await restore(counted.store, await decode(text));
      expect(counted.count()).toBeGreaterThan(0);
    });

    it("refuses a store that holds anything, unless it may delete it", async () => {
      const { text, before } = await filled(await open(), 5);
      const store = await open();
      const resources = await resourcesOf(store);
      await createPools(resources, 300, "other");
      const backup = await decode(text);
      await expect(restore(store, backup)).rejects.toThrow(
        /^Cannot restore: the store holds \d+ objects; --replace/,
      );
      const done = await restore(store, backup, { replace: true });
      expect(done.epoch).toBe(2);
      expect(done.deletedCount).toBe(600);
      expect((await listAll(await resourcesOf(store))).map(withoutVersion)).toEqual(
        before.map(withoutVersion),
      );
    });

    it("refuses a backup with keys that are no objects', before it writes anything", async () => {
      const backup = await decode((await filled(await open(), 1)).text);
      const counted = countWrites(await open());
      const foreign = { ...backup, entries: [{ key: "/elsewhere", value: "{}" }, ...backup.entries] };
      await expect(restore(counted.store, foreign)).rejects.toThrow(
        'the backup\'s key "/elsewhere" is none of an object',
      );
      expect(counted.count()).toBe(0);
    });

    describe("when it is interrupted", () => {
      it("is told by the store, which no server opens, until the same backup is restored to its end", async () => {
        const { text, before } = await filled(await open(), 300);
        const backup = await decode(text);
        const store = await open();
        await expect(restore(failAfter(store, 3), backup)).rejects.toThrow("the disk is gone");
        const { count } = await store.range(REGISTRY, { limit: 1 });
        expect([count > 0, count < backup.entries.length]).toEqual([true, true]);
        const refusal = await codeOf(async () => refuseUnfinished(await readEpoch(store)));
        expect(refusal).toBe("RestoreUnfinished");

        const done = await restore(store, backup);
        expect(done).toEqual({
          epoch: 2,
          writtenCount: backup.entries.length - count,
          deletedCount: 0,
          isResumed: true,
        });
        expect(await codeOf(async () => refuseUnfinished(await readEpoch(store)))).toBeUndefined();
        expect((await listAll(await resourcesOf(store))).map(withoutVersion)).toEqual(
          before.map(withoutVersion),
        );
      });

      it("takes another backup instead only where it may delete what is there", async () => {
        const small = await decode((await filled(await open(), 2)).text);
        const large = await decode((await filled(await open(), 300)).text);
        const store = await open();
        await expect(restore(failAfter(store, 3), large)).rejects.toThrow("the disk is gone");
        await expect(restore(store, small)).rejects.toThrow(
          "the restore of another backup into the store did not end",
        );
        expect(await restore(store, small, { replace: true })).toMatchObject({ epoch: 2, isResumed: false });
        expect((await store.range(REGISTRY, { limit: 1 })).count).toBe(small.entries.length);
      });

      it("does not go on beside another restore into the same store", async () => {
        const backup = await decode((await filled(await open(), 300)).text);
        const store = await open();
        let calls = 0;
        const overtaken: Store = {
          ...delegate(store),
          transact: async (conditions, writes) => {
            calls += 1;
            if (calls === 3) await restore(store, backup);
            return store.transact(conditions, writes);
          },
        };
        await expect(restore(overtaken, backup)).rejects.toThrow(
          "another restore into the same store has begun",
        );
        expect((await readEpoch(store)).restore?.isFinished).toBe(true);
      });
    });

    it("asks whether servers are at work before it writes, and again when they cannot write any more", async () => {
      const backup = await decode((await filled(await open(), 1)).text);
      const counted = countWrites(await open());
      const refuse = () => Promise.reject(new ParasausError("Unavailable", "server s1 is running"));
      await expect(restore(counted.store, backup, { refuseUsers: refuse })).rejects.toThrow("s1 is running");
      expect(counted.count()).toBe(0);
      const late = () => (counted.count() === 0 ? Promise.resolve() : refuse());
      await expect(restore(counted.store, backup, { refuseUsers: late })).rejects.toThrow("s1 is running");
      expect(counted.count()).toBe(1);
    });

    describe("epochs", () => {
      it("rise with every restore, above the store's and the backup's, and to what is asked for", async () => {
        const store = await open();
        const { text } = await filled(store, 1);
        const backup = await decode(text);
        expect((await readEpoch(store)).number).toBe(1);
        expect((await restore(store, backup, { replace: true })).epoch).toBe(2);
        expect((await restore(store, backup, { replace: true })).epoch).toBe(3);
        const third = await decode(await backUp(store));
        expect(third.header.epoch).toBe(3);
        const other = await open();
        expect((await restore(other, third)).epoch).toBe(4);
        expect((await restore(other, backup, { replace: true, leastEpoch: 9 })).epoch).toBe(9);
      });

      it.each([
        ["the right time", systemClock],
        ["a clock that stands at 1970", { ...systemClock, now: () => new Date(0) }],
      ])("give out resourceVersions above all from before, with %s", async (_title, clock) => {
        const old = await filled(await open(), 50);
        const newest = Number(old.version);
        const store = await open();
        await restore(store, await decode(old.text), { clock });
        const { resourceVersion } = await (await resourcesOf(store)).list(poolDefinition);
        expect(Number(resourceVersion)).toBeGreaterThan(newest);
        expect(Number.isSafeInteger(Number(resourceVersion) * 4)).toBe(true);
      });

      it("let no watch, page or list from before go on: 410, list again", async () => {
        const old = await filled(await open(), 5);
        const store = await open();
        await restore(store, await decode(old.text));
        const resources = await resourcesOf(store);
        await createPools(resources, 20, "later");
        expect(await store.revision()).toBeGreaterThan(Number(old.version));
        expect(await firstOf(resources, old.version)).toBe("Expired");
        expect(await codeOf(() => resources.list(poolDefinition, { resourceVersion: old.version }))).toBe(
          "Expired",
        );
        expect(await codeOf(() => resources.list(poolDefinition, { continue: old.token }))).toBe("Expired");
        // The control: with the store's own revisions the same watch goes on and has missed the restore.
        expect(["ADDED", "DELETED"]).toContain(
          await firstOf(await resourcesOf(store, ORIGINAL_EPOCH), old.version),
        );
      });

      it("let nobody watch from a resourceVersion that is still to come", async () => {
        const resources = await resourcesOf(await open());
        await createPools(resources, 1);
        const { resourceVersion } = await resources.list(poolDefinition);
        expect(await firstOf(resources, String(Number(resourceVersion) + 1))).toBe("Expired");
        const next = firstOf(resources, resourceVersion);
        await createPools(resources, 1, "more");
        expect(await next).toBe("ADDED");
      });
    });
  });
}
