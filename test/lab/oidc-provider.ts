import Provider from "oidc-provider";

/** What the client `parasaus` proves itself with. */
export const CLIENT_SECRET = "a secret of the client's, only for tests";

/**
 * A real OIDC provider. Its persons prove themselves with any password, and have the address `NAME@example.com`.
 *
 * @param callbackUrl Where it may send browsers back to.
 * @param claims More that it says of everybody.
 */
export function createOidcProvider(
  issuerUrl: string,
  callbackUrl: string,
  claims: Readonly<Record<string, unknown>> = {},
): Provider {
  return new Provider(issuerUrl, {
    clients: [{ client_id: "parasaus", client_secret: CLIENT_SECRET, redirect_uris: [callbackUrl] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true, ...claims }),
    }),
    pkce: { required: () => true },
  });
}
