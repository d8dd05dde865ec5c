import type { StoreEntry } from "../../store/index.ts";
import { followHeldKeys, type HeldKeysOptions } from "../coordination/held-keys.ts";
import { enrolmentKey, revocationKey, SECURITY_PREFIX } from "./keys.ts";

/** Which certificates of nodes count no more, though they have not ended. */
export interface Revocations {
  /**
   * Whether the node was revoked after this enrolment.
   *
   * @param enrolment As in its certificate; undefined: another authority made that, and may have revoked it
   */
  isRevoked(nodeName: string, enrolment: string | undefined): boolean;
  /** Calls `listener` after every change, by whichever server, until the signal aborts. */
  onChange(listener: () => void): Promise<void>;
}

/**
 * Follows them in the store until the signal aborts. What was followed last counts while the store is away.
 *
 * @returns when everything is known that was there before
 */
export async function followRevocations(options: Omit<HeldKeysOptions, "prefix">): Promise<Revocations> {
  const { signal } = options;
  const keys = followHeldKeys({ ...options, prefix: SECURITY_PREFIX });
  if (!keys.knows(1)) await keys.news.since(0, signal);
  return {
    isRevoked: (nodeName, enrolment) =>
      enrolment !== undefined &&
      keys.entries.has(revocationKey(nodeName)) &&
      enrolment !== enrolmentIn(keys.entries.get(enrolmentKey(nodeName))),
    async onChange(listener) {
      for (let { version } = keys.news; !signal.aborted; { version } = keys.news) {
        listener();
        await keys.news.since(version, signal);
      }
    },
  };
}

function enrolmentIn(entry: StoreEntry | undefined): string | undefined {
  return entry && (JSON.parse(entry.value) as { readonly enrolment: string }).enrolment;
}
