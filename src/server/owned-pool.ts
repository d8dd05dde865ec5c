import { writeBack } from "../controllers/index.ts";
import { ParasausError } from "../foundation/index.ts";
import {
  type Endpoints,
  endpointsDefinition,
  type KubeObject,
  type Pool,
  poolDefinition,
  type Service,
  serviceDefinition,
  validateObject,
} from "../model/index.ts";
import { findObject, type ObjectReference, type Resources } from "../resources/index.ts";

/** A Service, and the Endpoints of the same name. */
export interface Owner {
  readonly namespace: string;
  readonly name: string;
}

/** One object as it is to be stored. */
export interface OwnedPoolWrite {
  readonly reference: ObjectReference;
  readonly object: KubeObject;
}

/** The Service that a pool comes from. */
export function ownerOf({ definition }: ObjectReference, current: KubeObject | undefined): Owner | undefined {
  if (definition.kind !== "Pool" || !current) return undefined;
  const service = current.metadata.ownerReferences?.find(
    ({ kind, controller }) => kind === "Service" && controller,
  );
  return service && { namespace: current.metadata.namespace ?? "", name: service.name };
}

/** The Service and its Endpoints. */
export function ownersObjects(owner: Owner): readonly [service: ObjectReference, endpoints: ObjectReference] {
  const { namespace, name } = owner;
  return [
    { definition: serviceDefinition, namespace, name },
    { definition: endpointsDefinition, namespace, name },
  ];
}

/**
 * What has to be written for a pool to be as wanted that a Service owns: the pool with what is the operator's, and Service
 * and Endpoints where the change is theirs. Each but a new one names the version that it was made from.
 *
 * @returns the pool first; undefined: the pool is written itself, or refused as it is
 * @throws ParasausError `Invalid` with the fields that neither Service nor Endpoints can say
 */
export async function writesThroughService(
  resources: Resources,
  reference: ObjectReference,
  current: KubeObject | undefined,
  wanted: unknown,
): Promise<readonly OwnedPoolWrite[] | undefined> {
  const owner = ownerOf(reference, current);
  if (!owner || !current) return undefined;
  const [serviceReference, endpointsReference] = ownersObjects(owner);
  const service = (await findObject(resources, serviceReference)) as Service | undefined;
  const { status: _, ...content } = wanted as { readonly status?: unknown };
  const { object, refusal } = validateObject(poolDefinition, content, "Strict", current);
  if (!service || !object || refusal) return undefined;
  const endpoints = (await findObject(resources, endpointsReference)) as Endpoints | undefined;
  const back = writeBack({ service, endpoints, pool: current as Pool, wanted: object as Pool });
  if (back.problems.length > 0) {
    const { name } = reference;
    const why = back.problems.map(({ field, message }) => `${field} ${message}`).join("; ");
    const message = `Cannot change pool "${name}" through its Service "${owner.namespace}/${owner.name}": ${why}`;
    throw new ParasausError("Invalid", message, {
      fields: back.problems,
      object: { group: poolDefinition.group, kind: "Pool", name },
    });
  }
  return [
    { reference, object: back.pool },
    ...(back.service === service ? [] : [{ reference: serviceReference, object: back.service }]),
    ...(back.endpoints === endpoints || !back.endpoints
      ? []
      : [{ reference: endpointsReference, object: back.endpoints }]),
  ];
}
