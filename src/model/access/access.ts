import type { KubeObject } from "../object.ts";

/** What somebody may do, from most to least. */
export const ROLES = ["admin", "operator", "viewer"] as const;

/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number];

/** Whether a role may all that another one may. */
export function isRoleAtLeast(role: Role, wanted: Role): boolean {
  return ROLES.indexOf(role) <= ROLES.indexOf(wanted);
}

/** Somebody, or some program, that may ask. How it proves itself is kept elsewhere. */
export interface Account extends KubeObject {
  readonly apiVersion: "parasaus.io/v1";
  readonly kind: "Account";
  readonly spec: {
    readonly displayName?: string;
    /** In every namespace and for what belongs to the whole cluster; absent: only what RoleBindings give. */
    readonly role?: Role;
    readonly disabled?: boolean;
    /** How an OIDC provider knows it; absent: it does not log in by OIDC. */
    readonly oidcName?: string;
  };
}

/** A role of some accounts in the namespace that it is in. */
export interface RoleBinding extends KubeObject {
  readonly apiVersion: "parasaus.io/v1";
  readonly kind: "RoleBinding";
  readonly spec: { readonly role: Role; readonly accounts: readonly string[] };
}

/** A token that speaks for an account. The token itself is kept nowhere, its hash elsewhere. */
export interface ApiToken extends KubeObject {
  readonly apiVersion: "parasaus.io/v1";
  readonly kind: "ApiToken";
  readonly spec: {
    readonly account: string;
    /** What it may do at most; absent: whatever its account may. */
    readonly role?: Role;
    /** Where it may do that; absent: wherever its account may. */
    readonly namespaces?: readonly string[];
    /** RFC 3339. */
    readonly expires: string;
    readonly description?: string;
  };
}
