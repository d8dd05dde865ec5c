import { setTimeout as sleep } from "node:timers/promises";
import { Client, credentials, Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Store } from "../../src/store/index.ts";
import { openLabStore } from "../lab/open-lab-store.ts";
import { ETCD_UNARY, raw, serveUnary } from "../lab/raw-grpc.ts";
import { etcdWorld } from "./etcd-world.ts";

/** A request is given up for another member after a second: this is in the middle of the next one. */
const LEADERLESS_MS = 1_250;
const MOST_LATE_MS = 400;

const world = etcdWorld();
let truth: Client;
let members: Server[];
let store: Store;
/** Resolves when there is a leader; undefined: there is one. */
let election: Promise<unknown> | undefined;
let lostWrites: number;

/**
 * A member that does not know yet that its leader is dead, as etcd's for their election time-out: a write goes to the dead one
 * and is never answered, a read waits for the next leader.
 */
async function startMember(): Promise<string> {
  const server = new Server();
  for (const path of ETCD_UNARY) {
    serveUnary(server, path, ({ request }, answer) => {
      const passOn = () => truth.makeUnaryRequest(path, raw, raw, request, new Metadata(), answer);
      if (!election) passOn();
      else if (path.endsWith("/Txn")) lostWrites += 1;
      else void election.then(passOn);
    });
  }
  members.push(server);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (failure, bound) =>
      failure ? reject(failure) : resolve(bound),
    ),
  );
  return `127.0.0.1:${port}`;
}

const write = () => store.transact([], [{ kind: "put", key: "/leaderless/key", value: "1" }]);

beforeEach(async () => {
  truth = new Client(world.cluster().endpoints[0] ?? "", credentials.createInsecure());
  members = [];
  lostWrites = 0;
  store = await openLabStore([await startMember(), await startMember(), await startMember()]);
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  for (const member of members) member.forceShutdown();
  truth.close();
});

it("writes as soon as there is a leader again, and sends no second write where the first one was lost", async () => {
  expect(await write()).toMatchObject({ succeeded: true });
  let electedMs = 0;
  election = sleep(LEADERLESS_MS).then(() => {
    electedMs = performance.now();
    election = undefined;
  });
  await expect(write()).rejects.toThrow(/outcome unknown.*no answer within 1000 ms/);
  // The control: the first one is given up before there is a leader.
  expect(electedMs).toBe(0);
  expect(await write()).toMatchObject({ succeeded: true });
  expect(electedMs).toBeGreaterThan(0);
  expect(performance.now() - electedMs).toBeLessThan(MOST_LATE_MS);
  expect(lostWrites).toBe(1);
});

it("says of each member that it did not answer, and that nothing happened, when no leader comes", async () => {
  let elect: (leader?: unknown) => void = () => undefined;
  election = new Promise((resolve) => {
    elect = resolve;
  });
  await expect(write()).rejects.toThrow("outcome unknown");
  const silences =
    /^Cannot write .*: no etcd member answers \((127\.0\.0\.1:\d+: no answer within 1000 ms(; )?){3}\)$/;
  await expect(write()).rejects.toThrow(silences);
  expect(lostWrites).toBe(1);
  election = undefined;
  elect();
  expect(await write()).toMatchObject({ succeeded: true });
});
