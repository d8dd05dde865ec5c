/** One request to the server's API. */
export interface TransportRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query, from `/`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Gives up the request, and the answer's body too. */
  readonly signal: AbortSignal;
}

/** An answer whose body may still be arriving. */
export interface TransportAnswer {
  /** HTTP status code. */
  readonly status: number;
  /** A header's values joined by commas, or undefined. */
  readonly header: (name: string) => string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Carries requests to one of the servers. Node's is {@link createNodeTransport}; a browser's would wrap `fetch`.
 * A request that no server received fails with `Unavailable`.
 */
export interface Transport {
  readonly send: (request: TransportRequest) => Promise<TransportAnswer>;
}
