import { createOidcProvider } from "../lab/oidc-provider.ts";

// An OIDC provider: its base URL, and where it may send browsers back to.
const [, , issuerUrl = "", callbackUrl = ""] = process.argv;
createOidcProvider(issuerUrl, callbackUrl).listen(Number(new URL(issuerUrl).port), "127.0.0.1");
