/** Why a login by OIDC led back, as the server says in the address of the page. */
export interface LoginSearch {
  readonly oidc?: "refused" | "unavailable";
}

/** Reads it. */
export function readLoginSearch({ oidc }: Readonly<Record<string, unknown>>): LoginSearch {
  return oidc === "refused" || oidc === "unavailable" ? { oidc } : {};
}
