export type { AddressSource, AgentOptions } from "./agent-options.ts";
export { NodeIdentity, type NodeIdentityOptions, openNodeIdentity } from "./enrolment/node-identity.ts";
export { type HttpRequestOptions, httpNodeRequests } from "./http-requests.ts";
export { type LocalListener, readLocalListeners } from "./local-listeners.ts";
export type { NodeReport } from "./node-reporter.ts";
export type { NodeRequestTransport, NumberedRequest } from "./request-stream.ts";
export { runAgent } from "./run-agent.ts";
