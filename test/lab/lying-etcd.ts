import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
} from "@grpc/grpc-js";
import { raw, rawMethod } from "./raw-grpc.ts";

/** What becomes of the watch messages: those that are returned are passed on. */
export type Tamper = (message: Buffer, index: number) => readonly Buffer[];

/** An etcd member that lies about what happened; everything but its watches is passed on to the true one. */
export interface LyingEtcd extends AsyncDisposable {
  readonly endpoint: string;
  /** How many watch streams were opened so far, a count. */
  streams(): number;
  /** How many messages were changed, left out or added, a count. */
  lies(): number;
}

const UNARY = ["KV/Range", "KV/Txn", "KV/Compact", "Lease/LeaseGrant", "Lease/LeaseRevoke"];

/**
 * Stands before a true member.
 *
 * @param tamperWith Called for each watch stream, with its number from 1 on; absent answer = it tells the truth.
 */
export async function startLyingEtcd(
  endpoint: string,
  tamperWith: (stream: number) => Tamper | undefined,
): Promise<LyingEtcd> {
  const truth = new Client(endpoint, credentials.createInsecure(), { "grpc.max_receive_message_length": -1 });
  const server = new Server({ "grpc.max_receive_message_length": -1 });
  let streams = 0;
  let lies = 0;
  for (const name of UNARY) {
    const path = `/etcdserverpb.${name}`;
    server.addService({ [name]: rawMethod(path, false) }, {
      [name]: (call: { request: Buffer }, answer: (failure: unknown, response?: Buffer) => void) => {
        truth.makeUnaryRequest(path, raw, raw, call.request, new Metadata(), answer);
      },
    } as never);
  }
  const watch = (call: ServerDuplexStream<Buffer, Buffer>) => {
    streams += 1;
    const tamper = tamperWith(streams);
    const upstream = truth.makeBidiStreamRequest("/etcdserverpb.Watch/Watch", raw, raw, new Metadata());
    let index = 0;
    upstream.on("error", () => call.end());
    call.on("cancelled", () => upstream.cancel());
    call.on("data", (request: Buffer) => upstream.write(request));
    upstream.on("data", (message: Buffer) => {
      const told = tamper ? tamper(message, index) : [message];
      if (told.length !== 1 || told[0] !== message) lies += 1;
      index += 1;
      for (const each of told) call.write(each);
    });
  };
  server.addService({ Watch: rawMethod("/etcdserverpb.Watch/Watch", true) }, { Watch: watch as never });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (failure, bound) =>
      failure ? reject(failure) : resolve(bound),
    ),
  );
  return {
    endpoint: `127.0.0.1:${port}`,
    streams: () => streams,
    lies: () => lies,
    [Symbol.asyncDispose]: async () => {
      server.forceShutdown();
      truth.close();
    },
  };
}
