import type { Endpoints, Pool, Service, ServicePort } from "../../model/index.ts";
import { annotationsFor, annotationText } from "./annotations.ts";
import { serviceTypeOf } from "./generate.ts";

/** What the Pools of a Service come from. */
export interface PoolSources {
  readonly service: Service;
  /** Undefined: there are none. */
  readonly endpoints: Endpoints | undefined;
}

/** One field of a Pool's spec as it shall be; undefined: absent. */
export interface WantedField {
  /** Path in the spec. */
  readonly path: string;
  readonly value: unknown;
  /** Name of the Service port that the Pool stands for. */
  readonly portName: string;
}

/** The sources that give the field, or why none do. */
export type FieldResult = PoolSources | string;

type Annotations = Readonly<Record<string, string>>;
type Setter = (sources: PoolSources, field: WantedField) => FieldResult;

const SETTERS: Readonly<Record<string, Setter>> = {
  protocol: (sources, { portName, value }) => withPort(sources, portName, { protocol: value }),
  port: (sources, { portName, value }) => {
    if (isNodePort(sources)) return withPort(sources, portName, { nodePort: value });
    return value === undefined
      ? "a port of a Service has a number"
      : withPort(sources, portName, { port: value });
  },
  ip: (sources, { value }) => {
    if (isNodePort(sources)) return "a NodePort Service listens on every node";
    const isCluster = serviceTypeOf(sources.service) === "ClusterIP";
    return withSpec(sources, { [isCluster ? "clusterIP" : "loadBalancerIP"]: value });
  },
  addressPool: (sources, field) =>
    isNodePort(sources) ? "a NodePort Service takes node-ports" : withAnnotation(sources, field),
  lastPort: () => "a Service has no ranges of ports",
  "healthCheck.mysql.password": () => "is no secret in an annotation: set it once the check is mysql",
  sessionAffinity: (sources, { value }) => {
    const { type = "None", timeoutSeconds } = (value ?? {}) as Partial<Pool["spec"]["sessionAffinity"]>;
    const config = type === "ClientIP" ? { clientIP: { timeoutSeconds } } : undefined;
    return withSpec(sources, { sessionAffinity: type, sessionAffinityConfig: config });
  },
};

/** Has a field of a Pool come from its Service or an annotation as wanted. Pure. */
export function withField(sources: PoolSources, field: WantedField): FieldResult {
  return (SETTERS[field.path] ?? withAnnotation)(sources, field);
}

/** Changes the annotations wherever they stand; undefined: there is nothing to change in any. */
export function withAnnotations(
  { service, endpoints }: PoolSources,
  change: (annotations: Annotations) => Annotations | undefined,
): PoolSources | undefined {
  const ofService = change(service.metadata.annotations ?? {});
  const ofEndpoints = change(endpoints?.metadata.annotations ?? {});
  const beside = change(endpoints?.annotations ?? {});
  if (!ofService && !ofEndpoints && !beside) return undefined;
  return {
    service: ofService ? annotated(service, ofService) : service,
    endpoints: endpoints && {
      ...(ofEndpoints ? annotated(endpoints, ofEndpoints) : endpoints),
      ...(beside ? { annotations: beside } : {}),
    },
  };
}

/** An object without the fields that are undefined. */
export function withoutAbsent<Value extends object>(value: object): Value {
  // What is left is what the caller put there.
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Value;
}

/** Where the annotation stands already, else at the Service. */
function withAnnotation(sources: PoolSources, { path, value }: WantedField): FieldResult {
  const names = annotationsFor(path);
  const text = value === undefined ? undefined : annotationText(value);
  const changed = withAnnotations(sources, (annotations) => {
    const present = names.filter((name) => annotations[name] !== undefined);
    const set = Object.fromEntries(present.map((name) => [name, text]));
    return present.length === 0 ? undefined : withoutAbsent({ ...annotations, ...set });
  });
  const [name] = names;
  if (changed || name === undefined || text === undefined) return changed ?? sources;
  const { service } = sources;
  return { ...sources, service: annotated(service, { ...service.metadata.annotations, [name]: text }) };
}

function annotated<Kind extends Service | Endpoints>(object: Kind, annotations: Annotations): Kind {
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function withSpec(sources: PoolSources, change: object): PoolSources {
  const { service } = sources;
  return { ...sources, service: { ...service, spec: withoutAbsent({ ...service.spec, ...change }) } };
}

function withPort(sources: PoolSources, portName: string, change: object): PoolSources {
  const ports = (sources.service.spec.ports ?? []).map((port) =>
    (port.name ?? "") === portName ? withoutAbsent<ServicePort>({ ...port, ...change }) : port,
  );
  return withSpec(sources, { ports });
}

function isNodePort({ service }: PoolSources): boolean {
  return serviceTypeOf(service) === "NodePort";
}
