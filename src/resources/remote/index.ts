export { createRemoteResources, type RemoteResourcesOptions } from "./remote-resources.ts";
export type { Transport, TransportAnswer, TransportRequest } from "./transport.ts";
