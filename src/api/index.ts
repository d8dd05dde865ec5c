export type { AccessRequest } from "./access/access-request.ts";
export { type Credentials, SESSION_COOKIE } from "./access/credentials.ts";
export { type Grants, higher, isAtLeast, restrictGrants } from "./access/grants.ts";
export { type AccountIdentity, credentialOf, type Identity } from "./access/identity.ts";
export { maySeeOperation, type SeenOperation } from "./access/operation-sight.ts";
export { mayDo, permitObject, type RefusedRequest } from "./access/permit.ts";
export { type HealthQuestion, reportHealth } from "./console/health-report.ts";
export {
  type LastOperations,
  type LoggedOperation,
  OperationLog,
  type OperationQuestion,
  summarizeOperation,
} from "./console/operation-log.ts";
export { sumUp } from "./console/overview.ts";
export { PoolCatalogue, type PoolCatalogueSource, type PoolQuestion } from "./console/pool-catalogue.ts";
export { type PoolSummary, serviceOf, summarizePool, verdictsOf } from "./console/pool-summary.ts";
export { parseSearch } from "./console/search.ts";
export { consoleFiles } from "./console/static-files.ts";
export { type Sight, type View, type ViewQuestion, viewRoutes } from "./console/view-route.ts";
export { type ParsedBody, parseBody } from "./http/body.ts";
export type { HealthCheckEntry, HealthChecks } from "./http/health.ts";
export {
  type Authenticate,
  createHttpServer,
  type HttpServer,
  type HttpServerOptions,
  type ListenAddress,
  type RequestObservation,
} from "./http/server.ts";
export type { TlsMaterial } from "./http/tls-port.ts";
export { createKubeApi, type KubeApiOptions, type SlowClient } from "./kube/api.ts";
export type { ListClass } from "./kube/list-queue.ts";
export { operatorOf, writeOptionsOf } from "./kube/query.ts";
export { createNodeRequests, type NodeRequests } from "./nodes/node-requests.ts";
export type { CollectedAnswers } from "./nodes/request-hub.ts";
export { isPlainPath, openApi31 } from "./rest/open-api.ts";
export { createRestReference } from "./rest/rest-reference.ts";
