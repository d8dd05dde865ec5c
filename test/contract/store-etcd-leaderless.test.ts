import { Client, credentials, Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Store } from "../../src/store/index.ts";
import { openLabStore } from "../lab/open-lab-store.ts";
import { ETCD_UNARY, raw, serveUnary } from "../lab/raw-grpc.ts";
import { etcdWorld } from "./etcd-world.ts";

const MEMBER_COUNT = 3;

const world = etcdWorld();
let truth: Client;
let members: Server[];
let store: Store;
/** Resolves when there is a leader; undefined: there is one. */
let election: Promise<unknown> | undefined;
let lostWrites: number;
let asked: { write: number; read: number; look: number };
/** How long a read takes that is more than a look at the revision, milliseconds. */
let readMs: number;

/**
 * A member that does not know yet that its leader is dead, as etcd's for their election time-out: a write goes to the dead one
 * and is never answered, a read waits for the next leader.
 */
async function startMember(): Promise<string> {
  const server = new Server();
  for (const path of ETCD_UNARY) {
    serveUnary(server, path, ({ request }, answer) => {
      const kind = kindOf(path, request);
      const passOn = () => truth.makeUnaryRequest(path, raw, raw, request, new Metadata(), answer);
      asked[kind] += 1;
      answerWhenLed(kind, passOn);
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

function kindOf(path: string, request: Buffer): "write" | "read" | "look" {
  if (path.endsWith("/Txn")) return "write";
  return request.includes("/leaderless/") ? "read" : "look";
}

function answerWhenLed(kind: "write" | "read" | "look", passOn: () => unknown): void {
  if (!election) setTimeout(passOn, kind === "read" ? readMs : 0);
  else if (kind === "write") lostWrites += 1;
  else void election.then(passOn);
}

/** @returns ends it */
function beginElection(): () => void {
  let elect: (leader?: unknown) => void = () => undefined;
  election = new Promise((resolve) => {
    elect = resolve;
  });
  return () => {
    election = undefined;
    elect();
  };
}

const write = () => store.transact([], [{ kind: "put", key: "/leaderless/key", value: "1" }]);

beforeEach(async () => {
  truth = new Client(world.cluster().endpoints[0] ?? "", credentials.createInsecure());
  members = [];
  lostWrites = 0;
  asked = { write: 0, read: 0, look: 0 };
  readMs = 0;
  const endpoints = await Promise.all(Array.from({ length: MEMBER_COUNT }, startMember));
  store = await openLabStore(endpoints);
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  for (const member of members) member.forceShutdown();
  truth.close();
});

it("sends no second write where the first one was lost, and writes when there is a leader again", async () => {
  expect(await write()).toMatchObject({ succeeded: true });
  const elect = beginElection();
  await expect(write()).rejects.toThrow(/outcome unknown.*no answer within 1000 ms/);
  const before = asked.look;
  const second = write();
  // Every member is asked at once.
  await expect.poll(() => asked.look - before, { timeout: 5_000 }).toBeGreaterThanOrEqual(MEMBER_COUNT);
  expect(lostWrites).toBe(1);
  elect();
  expect(await second).toMatchObject({ succeeded: true });
  expect(lostWrites).toBe(1);
});

it("says of each member that it did not answer, and that nothing happened, when no leader comes", async () => {
  const elect = beginElection();
  await expect(write()).rejects.toThrow("outcome unknown");
  const silences =
    /^Cannot write .*: no etcd member answers \((127\.0\.0\.1:\d+: no answer within 1000 ms(; )?){3}\)$/;
  await expect(write()).rejects.toThrow(silences);
  expect(lostWrites).toBe(1);
  elect();
  expect(await write()).toMatchObject({ succeeded: true });
});

it("gives a read more time that takes longer than a second where members serve otherwise", async () => {
  await write();
  readMs = 1_400;
  const startedMs = performance.now();
  expect(await store.get("/leaderless/key")).toMatchObject({ value: "1" });
  // The control: it did take longer, and the first attempt was given up.
  expect(performance.now() - startedMs).toBeGreaterThan(1_000 + readMs);
});
