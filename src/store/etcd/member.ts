import {
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  connectivityState,
  Metadata,
} from "@grpc/grpc-js";
import { startAwakeTimeout } from "./awake-timeout.ts";
import { type ChannelSecurity, type EtcdTls, secureChannel } from "./channel-credentials.ts";
import type { Header } from "./key-value-messages.ts";
import type { Method } from "./methods.ts";

const CHANNEL_OPTIONS: ChannelOptions = {
  // What catches up can be large: etcd cuts a watch into fragments only between events.
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
  // Without pings a half-open connection hangs for ever. etcd ends a connection that pings more often than every
  // 5 s, or without a call (grpc-keepalive-min-time, PermitWithoutStream in server/embed).
  "grpc.keepalive_time_ms": 6_000,
  "grpc.keepalive_timeout_ms": 2_000,
  "grpc.keepalive_permit_without_calls": 0,
  // Otherwise a member that was away for minutes is asked again only minutes after it came back.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
  // Connections are shared by address otherwise, and a new channel would get the broken one back.
  "grpc.use_local_subchannel_pool": 1,
  // What is repeated and what is not is decided in one place, and that is not gRPC.
  "grpc.enable_retries": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.enable_http_proxy": 0,
};

const TIMEOUTS_BEFORE_RECONNECT = 2;

/** A stream to one member. */
export type MemberStream<Request, Response> = ClientDuplexStream<Request, Response>;

/** A member took longer than it was given. */
export class SilentMember extends Error {
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
  }
}

/** One member of the cluster, and our connection to it. */
export class Member {
  /** `host:port`. */
  readonly endpoint: string;
  #security: ChannelSecurity;
  #client: Client;
  #timeouts = 0;
  #isClosed = false;

  /** @throws ParasausError `Usage` when certificate or key cannot be used */
  constructor(endpoint: string, tls: EtcdTls | undefined) {
    this.endpoint = endpoint;
    this.#security = secureChannel(hostOf(endpoint), tls);
    this.#client = this.#connect(this.#security);
  }

  /** Whether there is a connection, or comes to be one within `timeoutMs`. */
  isConnected(timeoutMs: number): Promise<boolean> {
    return isReady(this.#client, timeoutMs);
  }

  /**
   * Secures the connection with something else from now on. Streams that are open go on over the one that they have.
   *
   * @returns false when the member cannot be reached with it, but can with what is used now: then that stays
   * @throws ParasausError `Usage` when certificate or key cannot be used
   */
  async secure(tls: EtcdTls, timeoutMs: number): Promise<boolean> {
    const security = secureChannel(hostOf(this.endpoint), tls);
    const next = this.#connect(security);
    const isWorse = !(await isReady(next, timeoutMs)) && isReadyNow(this.#client);
    if (isWorse || this.#isClosed) {
      next.close();
      return !isWorse;
    }
    this.#security = security;
    this.#replaceClient(next);
    return true;
  }

  /** One request, one answer. Rejects with gRPC's status. */
  call<Request, Response extends { readonly header: Header }>(
    method: Method<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Response> {
    const client = this.#client;
    return new Promise((resolve, reject) => {
      const end = (failure: unknown, response?: Response) => {
        stopTimeout();
        this.#note(client, failure);
        if (response) resolve(response);
        else reject(failure);
      };
      const { path, encode, decode } = method;
      const call = client.makeUnaryRequest(path, encode, decode, request, onlyWithLeader(), end);
      const stopTimeout = startAwakeTimeout(timeoutMs, () => {
        end(new SilentMember(timeoutMs));
        call.cancel();
      });
    });
  }

  /** A stream that lasts until it is cancelled or breaks. */
  stream<Request, Response extends { readonly header: Header }>(
    method: Method<Request, Response>,
  ): MemberStream<Request, Response> {
    const { path, encode, decode } = method;
    return this.#client.makeBidiStreamRequest(path, encode, decode, onlyWithLeader());
  }

  close(): void {
    this.#isClosed = true;
    this.#client.close();
  }

  #connect({ credentials, options }: ChannelSecurity): Client {
    return new Client(this.endpoint, credentials, { ...CHANNEL_OPTIONS, ...options });
  }

  /** A connection on which nothing comes back twice running may lead nowhere: TCP alone finds out after many minutes. */
  #note(client: Client, failure: unknown): void {
    if (client !== this.#client) return;
    this.#timeouts = failure instanceof SilentMember ? this.#timeouts + 1 : 0;
    if (this.#timeouts >= TIMEOUTS_BEFORE_RECONNECT) this.#replaceClient(this.#connect(this.#security));
  }

  #replaceClient(next: Client): void {
    const before = this.#client;
    this.#timeouts = 0;
    this.#client = next;
    before.close();
  }
}

function isReadyNow(client: Client): boolean {
  return client.getChannel().getConnectivityState(false) === connectivityState.READY;
}

function isReady(client: Client, timeoutMs: number): Promise<boolean> {
  // gRPC takes a point of the wall clock, and makes a span of it at once.
  const deadline = Date.now() + timeoutMs;
  const channel = client.getChannel();
  return new Promise((resolve) => {
    const look = () => {
      const state = channel.getConnectivityState(true);
      const isWaiting = state === connectivityState.IDLE || state === connectivityState.CONNECTING;
      if (!isWaiting) resolve(state === connectivityState.READY);
      else channel.watchConnectivityState(state, deadline, (late) => (late ? resolve(false) : look()));
    };
    look();
  });
}

/** `host:port` without the port, an IPv6 address without its brackets. */
function hostOf(endpoint: string): string {
  return endpoint.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

/** A member that has lost its leader then refuses at once, and ends its streams, instead of letting them hang. */
function onlyWithLeader(): Metadata {
  const metadata = new Metadata();
  metadata.set("hasleader", "true");
  return metadata;
}
