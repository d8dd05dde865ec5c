import { useSyncExternalStore } from "react";

/** Who the server takes this browser for. */
export type Session =
  /** Not asked yet. */
  | { readonly kind: "unknown" }
  /** Nobody: has to log in. */
  | { readonly kind: "out" }
  /** Somebody; without a name where nobody has to log in. */
  | { readonly kind: "in"; readonly name?: string; readonly csrfToken?: string };

let session: Session = { kind: "unknown" };
const listeners = new Set<() => void>();

function become(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

/** Asks the server who this browser is. */
export async function loadSession(): Promise<void> {
  const response = await fetch("/api/whoami").catch(() => undefined);
  // A server that is away is no reason to ask for a password; the pages say that it is away.
  if (!response || response.status >= 500) return become({ kind: "in" });
  if (!response.ok) return become({ kind: "out" });
  const { name, csrfToken } = (await response.json()) as {
    readonly name?: string;
    readonly csrfToken?: string;
  };
  become({ kind: "in", ...(name ? { name } : {}), ...(csrfToken ? { csrfToken } : {}) });
}

/** The server knows this browser no more. */
export function noteLoggedOut(): void {
  if (session.kind === "in") become({ kind: "out" });
}

/** What writes have to repeat of the session; undefined: there is none. */
export function csrfToken(): string | undefined {
  return session.kind === "in" ? session.csrfToken : undefined;
}

/** Who the server takes this browser for; drawn anew when that changes. */
export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => session,
  );
}
