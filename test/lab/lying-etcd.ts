import { Client, credentials, Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import { ETCD_UNARY, raw, serveStream, serveUnary } from "./raw-grpc.ts";

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

const WATCH = "/etcdserverpb.Watch/Watch";

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
  for (const path of ETCD_UNARY) {
    serveUnary(server, path, ({ request }, answer) => {
      truth.makeUnaryRequest(path, raw, raw, request, new Metadata(), answer);
    });
  }
  serveStream(server, WATCH, (call) => {
    streams += 1;
    const tamper = tamperWith(streams);
    const upstream = truth.makeBidiStreamRequest(WATCH, raw, raw, new Metadata());
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
  });
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
