export { askJson, type ServerQuestion } from "./ask-json.ts";
export { refusalOf } from "./failures.ts";
export {
  type ClientTls,
  createNodeTransport,
  type NodeTransport,
  type NodeTransportOptions,
} from "./node-transport.ts";
export { createRemoteResources, type RemoteResourcesOptions } from "./remote-resources.ts";
export type { Transport, TransportAnswer, TransportRequest } from "./transport.ts";
