/** One request, as far as it counts for whether it is allowed. */
export type AccessRequest =
  | {
      readonly kind: "object";
      /** Kubernetes' word: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`. */
      readonly verb: string;
      /** `pools.parasaus.io`, `nodes.parasaus.io/status`, `namespaces`. */
      readonly resource: string;
      readonly namespace?: string;
      /** Absent: the request names no single object, or its body, which is not read yet, does. */
      readonly name?: string;
    }
  | {
      readonly kind: "route";
      /** Method and pattern as the router lists them: `GET /internal/v1/nodes/:node/requests`. */
      readonly route: string;
      /** Which node it is about, where the pattern has a `:node`. */
      readonly node?: string;
      /** Which namespace, where the pattern has a `:namespace`. */
      readonly namespace?: string;
    };
