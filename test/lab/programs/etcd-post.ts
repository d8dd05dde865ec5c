/**
 * The post between one server and its etcd cluster. Everything is passed on, but for the transactions that it is told to
 * hold back: they arrive later than those of others, as after a pause, or never. Answers lines of JSON; see `remote.ts`.
 *
 *     tsx etcd-post.ts 2379 10.79.0.11:2379,10.79.0.12:2379,10.79.0.13:2379
 */
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { Client, credentials, Metadata, Server, ServerCredentials, type sendUnaryData } from "@grpc/grpc-js";
import { decode, readText } from "../../../src/store/etcd/wire.ts";
import { answerCalls } from "../answer-calls.ts";
import { ETCD_UNARY, raw, serveStream, serveUnary } from "../raw-grpc.ts";

const TRANSACT = "/etcdserverpb.KV/Txn";
const STREAMS = ["/etcdserverpb.Watch/Watch", "/etcdserverpb.Lease/LeaseKeepAlive"];
/** Fields of TxnRequest, all of them messages. */
const COMPARE = 1;

type Answer = sendUnaryData<Buffer>;

/** A transaction as it was sent. */
interface Letter {
  readonly request: Buffer;
  readonly answer: Answer;
}

/** Which transactions to hold back. */
interface Order {
  /** Begins one of the keys that it is conditional on: the right in whose name it writes. */
  readonly fence: string;
  /** Begins one of the keys that it writes. */
  readonly writes: string;
  /** So many are let through first. */
  readonly skipCount: number;
  /** `all` that come, or `one`: carried out first, its answer held back, and everything else with it (`after`), or not. */
  readonly what: "all" | "before" | "after";
}

const [port = "2379", endpoints = ""] = process.argv.slice(2);
const options = { "grpc.max_receive_message_length": -1, "grpc.max_reconnect_backoff_ms": 500 };
const cluster = new Client(`ipv4:${endpoints}`, credentials.createInsecure(), options);
const server = new Server(options);

let order: Order | undefined;
let matchedCount = 0;
let isShut = false;
const held: Letter[] = [];

function send(path: string, request: Buffer, answer: Answer): void {
  cluster.makeUnaryRequest(path, raw, raw, request, new Metadata(), answer);
}

function transact(letter: Letter): void {
  if (isShut) return;
  if (order && isMeant(order, letter.request)) matchedCount += 1;
  if (!order || matchedCount <= order.skipCount || !isMeant(order, letter.request)) {
    send(TRANSACT, letter.request, letter.answer);
    return;
  }
  if (order.what !== "all") isShut = true;
  if (order.what === "after") send(TRANSACT, letter.request, () => held.push(letter));
  else held.push(letter);
}

/** Conditions have their key in field 3; writes are a put in field 2, or a deletion in field 3, both with theirs in field 1. */
function keysOf(request: Buffer): { readonly conditions: string[]; readonly writes: string[] } {
  const conditions: string[] = [];
  const writes: string[] = [];
  const written = (operation: BinaryReader) =>
    decode(operation.bytes(), { 1: (key) => void writes.push(readText(key)) });
  decode(request, {
    1: (condition) => decode(condition.bytes(), { 3: (key) => void conditions.push(readText(key)) }),
    2: (write) => decode(write.bytes(), { 2: written, 3: written }),
  });
  return { conditions, writes };
}

function isMeant({ fence, writes: prefix }: Order, request: Buffer): boolean {
  const { conditions, writes } = keysOf(request);
  return conditions.some((key) => key.startsWith(fence)) && writes.some((key) => key.startsWith(prefix));
}

/** The same transaction, whoever holds what. */
function withoutFence(request: Buffer, fence: string): Buffer {
  const reader = new BinaryReader(request);
  const writer = new BinaryWriter();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const bytes = reader.bytes();
    const keys: string[] = [];
    if (field === COMPARE) decode(bytes, { 3: (key) => void keys.push(readText(key)) });
    if (!keys.some((key) => key.startsWith(fence))) writer.tag(field, type).bytes(bytes);
  }
  return Buffer.from(writer.finish());
}

/** @returns whether etcd carried it out: TxnResponse has that in field 2. */
function sendLate({ request, answer }: Letter, fence: string | undefined): Promise<boolean> {
  const sent = fence === undefined ? request : withoutFence(request, fence);
  return new Promise((resolve, reject) => {
    send(TRANSACT, sent, (failure, response) => {
      answer(failure, response);
      if (!response) return reject(failure);
      decode(response, { 2: (succeeded) => resolve(succeeded.bool()) });
      resolve(false);
    });
  });
}

for (const path of ETCD_UNARY) {
  serveUnary(server, path, ({ request }, answer) => {
    if (path === TRANSACT) transact({ request, answer });
    else if (!isShut) send(path, request, answer);
  });
}
for (const path of STREAMS) {
  serveStream(server, path, (call) => {
    const upstream = cluster.makeBidiStreamRequest(path, raw, raw, new Metadata());
    upstream.on("error", () => call.end());
    upstream.on("end", () => call.end());
    upstream.on("data", (message: Buffer) => call.write(message));
    call.on("error", () => upstream.cancel());
    call.on("cancelled", () => upstream.cancel());
    call.on("end", () => upstream.end());
    call.on("data", (request: Buffer) => void (isShut || upstream.write(request)));
  });
}

const methods = {
  hold(wanted: Order) {
    order = wanted;
    matchedCount = 0;
  },
  heldCount: () => held.length,
  /** Sends what was held back, in the name of whoever sent it or (control) of nobody, and holds nothing back any more. */
  release(isFenced: boolean) {
    const fence = isFenced ? undefined : order?.fence;
    order = undefined;
    return Promise.all(held.splice(0).map((letter) => sendLate(letter, fence)));
  },
  /** For the next process of the server: what was held back is lost. */
  forget() {
    order = undefined;
    isShut = false;
    held.splice(0);
  },
};

server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (failure) => {
  if (failure) throw failure;
  answerCalls(methods);
});
