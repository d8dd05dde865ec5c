import { useEffect, useState } from "react";
import { type ApiFailure, failureOf, isStatus, send } from "./api.ts";
import { linesOf } from "./lines.ts";

/** What is known of a view. */
export interface ViewState<Value> {
  /** The newest value; stays while the connection is away. */
  readonly value?: Value;
  /** What `value` was asked by. */
  readonly url?: string;
  /** Why there is none. */
  readonly failure?: ApiFailure;
  /** Whether changes arrive. */
  readonly isLive: boolean;
}

/** The server says something every 5 s; what is silent for longer is dead, milliseconds. */
const STALL_MS = 12_000;
const SHORTEST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;

/** A stream that was begun before there is a page to show it. */
interface BegunStream {
  readonly response: Promise<Response>;
  readonly stop: AbortController;
}

const begun = new Map<string, BegunStream>();

/** Asks for a view whose page will come at once; who follows it takes the stream over. */
export function beginView(url: string): void {
  const stop = new AbortController();
  const response = send(watched(url), { signal: stop.signal });
  response.catch(() => undefined);
  begun.set(url, { response, stop });
  setTimeout(() => {
    if (begun.delete(url)) stop.abort();
  }, STALL_MS);
}

/**
 * Follows a view of the server: one stream, and none while the page is hidden, because a browser has six connections for
 * all its tabs.
 *
 * @param url Of the view; undefined: nothing yet.
 */
export function useView<Value>(url: string | undefined): ViewState<Value> {
  const [state, setState] = useState<ViewState<Value>>({ isLive: false });
  const isVisible = usePageVisible();
  useEffect(() => {
    if (url === undefined || !isVisible) return;
    const ended = new AbortController();
    void follow<Value>(url, ended.signal, (change) => {
      if (!ended.signal.aborted) setState((before) => ({ ...before, ...change }));
    });
    return () => ended.abort();
  }, [url, isVisible]);
  return state;
}

function usePageVisible(): boolean {
  const [isVisible, setVisible] = useState(() => document.visibilityState !== "hidden");
  useEffect(() => {
    const look = () => setVisible(document.visibilityState !== "hidden");
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return isVisible;
}

async function follow<Value>(
  url: string,
  signal: AbortSignal,
  tell: (change: Partial<ViewState<Value>>) => void,
): Promise<void> {
  let retryMs = SHORTEST_RETRY_MS;
  while (!signal.aborted) {
    try {
      await readOnce<Value>(url, signal, (change) => {
        retryMs = SHORTEST_RETRY_MS;
        tell(change);
      });
      tell({ isLive: false });
    } catch (failure) {
      if (signal.aborted) return;
      tell({ isLive: false, failure: failure as ApiFailure });
    }
    await pause(retryMs, signal);
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  }
}

async function readOnce<Value>(
  url: string,
  signal: AbortSignal,
  tell: (change: Partial<ViewState<Value>>) => void,
): Promise<void> {
  const stalled = new AbortController();
  let timer = setTimeout(() => stalled.abort(), STALL_MS);
  try {
    const response = await open(url, AbortSignal.any([signal, stalled.signal]));
    if (!response.ok || !response.body) {
      throw failureOf(response.status, await response.json().catch(() => undefined));
    }
    for await (const line of linesOf(response.body)) {
      clearTimeout(timer);
      timer = setTimeout(() => stalled.abort(), STALL_MS);
      if (line === "") continue;
      const value: unknown = JSON.parse(line);
      if (isStatus(value)) throw failureOf(value.code ?? 500, value);
      tell({ value: value as Value, url, isLive: true, failure: undefined });
    }
  } finally {
    clearTimeout(timer);
  }
}

function open(url: string, signal: AbortSignal): Promise<Response> {
  const early = begun.get(url);
  if (!early) return send(watched(url), { signal });
  begun.delete(url);
  signal.addEventListener("abort", () => early.stop.abort());
  return early.response;
}

function watched(url: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}watch=true`;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
