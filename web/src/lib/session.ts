import { useSyncExternalStore } from "react";
import { isRoleAtLeast, type Role } from "../../../src/model/access/access.ts";

/** Who the server takes this browser for. */
export type Session =
  /** Not asked yet. */
  | { readonly kind: "unknown" }
  /** Nobody: has to log in. */
  | { readonly kind: "out" }
  /** Somebody; without a name where nobody has to log in. */
  | {
      readonly kind: "in";
      readonly name?: string;
      readonly csrfToken?: string;
      /** Everywhere; absent: nothing there. */
      readonly role?: Role;
      readonly namespaces: Readonly<Record<string, Role>>;
      /** The server lets everybody of its machine in. */
      readonly needsNoLogin: boolean;
    };

/** Whether who looks at the page has at least a role: in a namespace, or everywhere. */
export type May = (role: Role, namespace?: string) => boolean;

interface WhoAmI {
  readonly name?: string;
  readonly csrfToken?: string;
  readonly role?: Role | null;
  readonly namespaces?: Readonly<Record<string, Role>>;
  readonly needsNoLogin?: boolean;
}

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
  if (!response || response.status >= 500)
    return become({ kind: "in", role: "admin", namespaces: {}, needsNoLogin: false });
  if (!response.ok) return become({ kind: "out" });
  const { name, csrfToken, role, namespaces = {}, needsNoLogin = false } = (await response.json()) as WhoAmI;
  become({
    ...{ kind: "in", namespaces, needsNoLogin },
    ...(name ? { name } : {}),
    ...(csrfToken ? { csrfToken } : {}),
    ...(role ? { role } : {}),
  });
}

/** The server knows this browser no more. */
export function noteLoggedOut(): void {
  if (session.kind === "in") become({ kind: "out" });
}

/** What writes have to repeat of the session; undefined: there is none. */
export function csrfToken(): string | undefined {
  return session.kind === "in" ? session.csrfToken : undefined;
}

/** Whether there is anything for this browser to see. */
export function isSomebodyIn(): boolean {
  return session.kind === "in";
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

/** What to offer to whoever looks at the page. It hides what would be refused; the server decides. */
export function useMay(): May {
  const current = useSession();
  return (wanted, namespace) => {
    if (current.kind !== "in") return false;
    const own = namespace === undefined ? undefined : current.namespaces[namespace];
    return [current.role, own].some((role) => role !== undefined && isRoleAtLeast(role, wanted));
  };
}

/** The same, in whatever namespace. */
export function useMaySomewhere(): (role: Role) => boolean {
  const current = useSession();
  return (wanted) => {
    if (current.kind !== "in") return false;
    const roles = [current.role, ...Object.values(current.namespaces)];
    return roles.some((role) => role !== undefined && isRoleAtLeast(role, wanted));
  };
}
