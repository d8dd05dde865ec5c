export type { Identity } from "./access/identity.ts";
export type { HealthCheckEntry, HealthChecks } from "./http/health.ts";
export {
  createHttpServer,
  type HttpServer,
  type HttpServerOptions,
  type ListenAddress,
  type RequestObservation,
} from "./http/server.ts";
export type { TlsMaterial } from "./http/tls-port.ts";
export { createKubeApi, type KubeApiOptions, type SlowClient } from "./kube/api.ts";
export type { ListClass } from "./kube/list-queue.ts";
export { createNodeRequests, type NodeRequests } from "./nodes/node-requests.ts";
export type { CollectedAnswers } from "./nodes/request-hub.ts";
