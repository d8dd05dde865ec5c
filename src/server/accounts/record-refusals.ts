import { type AccessRequest, credentialOf, type Identity, type RefusedRequest } from "../../api/index.ts";
import type { Clock, Logger } from "../../foundation/index.ts";
import { DEFINITIONS } from "../../model/index.ts";
import type { LocalResources, RecordedEvent } from "../../resources/local/index.ts";
import type { Store } from "../../store/index.ts";
import { RateLimit } from "./rate-limit.ts";

/** Who asks again and again must not push everything else out of the record. */
const RECORDED = { burst: 1_000, refillMs: 10_000 };
/** Strangers together, who have many addresses. */
const OF_STRANGERS = { burst: 5_000, refillMs: 1_000 };

/** What refusals are recorded with. */
export interface RefusalRecorderOptions {
  readonly store: Store;
  readonly resources: LocalResources;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of each refusal that was not recorded, because there were too many. */
  readonly onUnrecorded: () => void;
}

/** Leaves one Operation for each refused request, up to a bound for each who asks. */
export function recordRefusals(options: RefusalRecorderOptions): (refused: RefusedRequest) => Promise<void> {
  const { store, resources, clock, logger, onUnrecorded } = options;
  const nowMs = () => clock.monotonicMs();
  const [each, strangers] = [
    new RateLimit({ ...RECORDED, nowMs }),
    new RateLimit({ ...OF_STRANGERS, nowMs }),
  ];
  const isTooMany = ({ identity, source }: RefusedRequest) =>
    identity.kind === "stranger"
      ? strangers.take("") > 0 || each.take(`from ${source}`) > 0
      : each.take(operatorIn(identity)) > 0;
  return async (refused) => {
    const { source, message, identity } = refused;
    if (isTooMany(refused)) return onUnrecorded();
    const record: RecordedEvent = {
      ...{ operator: operatorIn(identity), verb: "refuse", source, message },
      ...credentialIn(identity),
      object: objectIn(refused.access),
    };
    try {
      await store.transact([], [resources.recordWrite(record)]);
    } catch (error) {
      // It is refused all the same.
      logger.warn("refusal not recorded", { operator: record.operator, message, error });
    }
  };
}

function operatorIn(identity: Identity): string {
  if (identity.kind === "account") return identity.name;
  return identity.kind === "node" ? `system:node:${identity.name}` : "anonymous";
}

function credentialIn(identity: Identity): Pick<RecordedEvent, "credential"> {
  const credential = credentialOf(identity);
  return credential === undefined ? {} : { credential };
}

function objectIn(access: AccessRequest): RecordedEvent["object"] {
  if (access.kind === "route") return { apiVersion: "", kind: "Route", name: access.route, uid: "" };
  const [plural = "", ...rest] = access.resource.replace(/\/.*$/, "").split(".");
  const group = rest.join(".");
  const kind = DEFINITIONS.find((each) => each.plural === plural && each.group === group)?.kind ?? plural;
  return {
    apiVersion: group === "" ? "v1" : `${group}/v1`,
    kind,
    ...(access.namespace === undefined ? {} : { namespace: access.namespace }),
    name: access.name ?? "",
    uid: "",
  };
}
