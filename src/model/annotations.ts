import type { FieldError } from "../foundation/index.ts";
import { unsupported } from "./validation/field-errors.ts";

/** Annotation on Endpoints (wins) or Service that says how the members are probed. */
export const HEALTH_CHECK_TYPE_ANNOTATION = "healthCheckType";

const HEALTH_CHECK_TYPES = ["http", "https", "tcp", "mysql", "none"];

/** Refuses a `healthCheckType` that nobody knows, where it is written. */
export function healthCheckAnnotationErrors(
  field: string,
  annotations: Readonly<Record<string, string>> = {},
): FieldError[] {
  const type = Object.hasOwn(annotations, HEALTH_CHECK_TYPE_ANNOTATION)
    ? annotations[HEALTH_CHECK_TYPE_ANNOTATION]
    : undefined;
  if (type === undefined || HEALTH_CHECK_TYPES.includes(type.trim().toLowerCase())) return [];
  return [unsupported(`${field}[${HEALTH_CHECK_TYPE_ANNOTATION}]`, type, HEALTH_CHECK_TYPES)];
}

/** What the server keeps in annotations, for itself and for kubectl: no person writes it. */
export const KEPT_ANNOTATIONS: readonly string[] = [
  "kubectl.kubernetes.io/last-applied-configuration",
  "parasaus.io/generated",
  "parasaus.io/service-port",
];
