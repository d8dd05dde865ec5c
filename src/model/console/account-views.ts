import type { Role } from "../access/access.ts";

/** What a RoleBinding gives to an account. */
export interface BoundRole {
  readonly namespace: string;
  readonly role: Role;
  /** Name of the RoleBinding. */
  readonly binding: string;
}

/** One API token, without the token. */
export interface TokenRow {
  /** `<account>.<anything>`. */
  readonly name: string;
  readonly account: string;
  readonly description?: string;
  /** What it may do at most; absent: whatever its account may. */
  readonly role?: Role;
  /** Where it may do that; absent: wherever its account may. */
  readonly namespaces?: readonly string[];
  /** RFC 3339. */
  readonly expires: string;
  /** RFC 3339. */
  readonly created: string;
}

/** One account. */
export interface AccountRow {
  readonly name: string;
  readonly displayName?: string;
  /** Everywhere; absent: only what `bound` says. */
  readonly role?: Role;
  /** Its roles in single namespaces, by namespace. */
  readonly bound: readonly BoundRole[];
  readonly isDisabled: boolean;
  /** RFC 3339. */
  readonly created: string;
  /** RFC 3339; absent: not as long as the record goes back. */
  readonly lastLogin?: string;
}

/** The accounts and tokens that who asks may see, by name. */
export interface AccountList {
  readonly accounts: readonly AccountRow[];
  readonly tokens: readonly TokenRow[];
}
