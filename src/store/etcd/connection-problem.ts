/** What gRPC and OpenSSL say when there is no connection, and what it means to an operator. */
const PROBLEMS: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, "connection refused, nobody listens there"],
  [/EHOSTUNREACH|ENETUNREACH/, "there is no way to that address"],
  [/Name resolution failed|ENOTFOUND|EAI_AGAIN/, "its name cannot be resolved"],
  [/Protocol error/, "what answers there is not etcd"],
  [
    /alert (bad certificate|certificate required|certificate expired|unknown ca)/i,
    "it does not accept our client certificate",
  ],
  [/alert|SSL routines/, "the TLS handshake failed"],
  [/altnames: (.*?)(\. Resolution|$)/, "its certificate is for another name or address"],
  [
    /unable to verify|unable to get (local )?issuer|self.signed/i,
    "its certificate is signed by another authority",
  ],
  [/certificate has expired|CERT_HAS_EXPIRED/i, "its certificate has expired"],
  [/before secure TLS connection/, "it does not speak TLS"],
  [/Failed to connect/, "it ended the connection at once, as a member does that wants TLS"],
];

/** Puts the reason why a member cannot be reached into words. */
export function explainConnection(details: string): string {
  const problem = PROBLEMS.find(([pattern]) => pattern.test(details));
  return (
    problem?.[1] ??
    details.replace(/^No connection established\. Last error: /, "").replace(/\. Resolution note: $/, "")
  );
}
