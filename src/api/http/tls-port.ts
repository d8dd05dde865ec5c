import type { Server } from "node:http";
import type { Socket } from "node:net";
import tls from "node:tls";
import type { Status } from "./status.ts";

/** The first byte of a TLS handshake; no HTTP request begins with it. */
const HANDSHAKE = 0x16;
/** How long a client may take to say its first byte, and to shake hands. */
const PATIENCE_MS = 10_000;
/** A refused client may read the answer for so long. */
const PARTING_MS = 1_000;
/** Forward secrecy and authenticated encryption only. */
const CIPHERS = [
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_AES_128_GCM_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** What a TLS server proves itself with, and whom it believes. All PEM. */
export interface TlsMaterial {
  /** The server's certificate, then those between it and its authority. */
  readonly certificate: string;
  readonly privateKey: string;
  /** Authorities whose client certificates count. */
  readonly clientAuthorities: readonly string[];
}

/** The TLS side of a port. */
export interface TlsPort {
  /** New connections see this from now on; those there are stay. Throws when key and certificate do not belong together. */
  use(material: TlsMaterial): void;
  /** Ends connections that have not said yet what they speak, or have not shaken hands. */
  endPending(): void;
}

/** How a port treats plain HTTP. */
export interface TlsPortOptions {
  readonly material: TlsMaterial;
  readonly isPlainPermitted: (socket: Socket) => boolean;
  /** The answer to plain HTTP where it is not permitted. */
  readonly refusal: Status;
}

/**
 * Makes a port speak TLS and plain HTTP: a connection's first byte says which. What is decrypted goes to the same server,
 * with the same limits.
 *
 * Clients are asked for a certificate and not dropped without a good one: a `Status` tells them more than an alert.
 */
export function speakTls(server: Server, options: TlsPortOptions): TlsPort {
  const plain = server.listeners("connection") as ((socket: Socket) => void)[];
  const serve = (socket: Socket): void => {
    for (const listener of plain) listener.call(server, socket);
  };
  const pending = new Map<string, Socket>();
  const secure = tls.createServer({
    ...contextOf(options.material),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
    handshakeTimeout: PATIENCE_MS,
  });
  secure.on("secureConnection", (socket) => {
    pending.delete(endsOf(socket));
    serve(socket);
  });
  secure.on("tlsClientError", (_failure, socket) => socket.destroy());
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    const ends = endsOf(socket);
    pending.set(ends, socket);
    socket.once("close", () => pending.delete(ends));
    onFirstByte(socket, (byte) => {
      if (byte === HANDSHAKE) {
        secure.emit("connection", socket);
        return;
      }
      pending.delete(ends);
      if (options.isPlainPermitted(socket)) serve(socket);
      else refuse(socket, options.refusal);
    });
  });
  return {
    use: (material) => secure.setSecureContext(contextOf(material)),
    endPending: () => {
      for (const socket of pending.values()) socket.destroy();
    },
  };
}

/** What tells a connection from every other one that is open now, the same before and after decryption. */
function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}

function contextOf({ certificate, privateKey, clientAuthorities }: TlsMaterial): tls.SecureContextOptions {
  return {
    cert: certificate,
    key: privateKey,
    ca: [...clientAuthorities],
    minVersion: "TLSv1.2",
    ciphers: CIPHERS,
  };
}

/** Looks at the first byte and leaves it where it was. */
function onFirstByte(socket: Socket, decide: (byte: number) => void): void {
  const giveUp = (): void => void socket.destroy();
  const timer = setTimeout(giveUp, PATIENCE_MS);
  const stop = (): void => {
    clearTimeout(timer);
    socket.off("readable", look).off("end", giveUp).off("close", stop);
  };
  const look = (): void => {
    const first = socket.read(1) as Buffer | null;
    if (first === null) return;
    stop();
    socket.unshift(first);
    decide(first[0] ?? 0);
  };
  // Who hangs up is no failure of ours; and whoever serves the socket then listens for errors himself.
  socket.on("error", () => undefined);
  socket.on("readable", look).on("end", giveUp).on("close", stop);
}

function refuse(socket: Socket, status: Status): void {
  const body = JSON.stringify(status);
  const head = [
    "HTTP/1.1 400 Bad Request",
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  // What is unread when a socket closes makes the kernel reset it, and the answer would be lost.
  socket.resume();
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  setTimeout(() => socket.destroy(), PARTING_MS).unref();
}
