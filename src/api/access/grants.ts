import { isRoleAtLeast, type Role } from "../../model/index.ts";

/** What an account may do where. */
export interface Grants {
  /** In every namespace, and with what belongs to the whole cluster; absent: nothing there. */
  readonly everywhere?: Role;
  /** More than that in single namespaces, by name. */
  readonly namespaces: ReadonlyMap<string, Role>;
}

/** How far a token reaches, within what its account may. */
export interface TokenScope {
  /** At most; absent: no limit. */
  readonly role?: Role;
  /** Nowhere else; absent: no limit. */
  readonly namespaces?: readonly string[];
}

/** Whether a role is at least another one. */
export function isAtLeast(role: Role | undefined, wanted: Role): boolean {
  return role !== undefined && isRoleAtLeast(role, wanted);
}

/** The role in a namespace, or, without one, with what belongs to the whole cluster. */
export function roleIn({ everywhere, namespaces }: Grants, namespace: string | undefined): Role | undefined {
  const own = namespace === undefined ? undefined : namespaces.get(namespace);
  return higher(everywhere, own);
}

/** What is left of grants for a token. */
export function restrictGrants(grants: Grants, scope: TokenScope): Grants {
  const limited = (role: Role | undefined) => lower(role, scope.role);
  if (!scope.namespaces) {
    const everywhere = limited(grants.everywhere);
    return { ...(everywhere ? { everywhere } : {}), namespaces: mapRoles(grants.namespaces, limited) };
  }
  const inScope = scope.namespaces.flatMap((namespace): [string, Role][] => {
    const role = limited(roleIn(grants, namespace));
    return role ? [[namespace, role]] : [];
  });
  return { namespaces: new Map(inScope) };
}

/** The higher of two roles. */
export function higher(a: Role | undefined, b: Role | undefined): Role | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return isAtLeast(a, b) ? a : b;
}

function lower(role: Role | undefined, limit: Role | undefined): Role | undefined {
  if (role === undefined || limit === undefined) return role;
  return isAtLeast(role, limit) ? limit : role;
}

function mapRoles(
  roles: ReadonlyMap<string, Role>,
  limited: (role: Role) => Role | undefined,
): ReadonlyMap<string, Role> {
  return new Map([...roles].map(([namespace, role]) => [namespace, limited(role) ?? role]));
}
