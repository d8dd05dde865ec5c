import { ERROR_CODES, type ErrorCode, type FieldError, ParasausError } from "../../foundation/index.ts";

/** Kubernetes' `Status`: how a request ended, when it did not end with an object. */
export interface Status {
  readonly apiVersion: "v1";
  readonly kind: "Status";
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    /** When to ask again, seconds. */
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly {
      readonly field: string;
      readonly reason: string;
      readonly message: string;
    }[];
  };
  /** HTTP status code. */
  readonly code: number;
}

const HTTP_CODES: Readonly<Record<number, ErrorCode>> = {
  404: "NotFound",
  405: "MethodNotAllowed",
  413: "TooLarge",
  415: "UnsupportedMediaType",
};

/** The refusal that any failure amounts to; what is not ours becomes `Internal` and keeps its secrets. */
export function toRefusal(failure: unknown): ParasausError {
  if (failure instanceof ParasausError) return failure;
  const code = codeOf(statusCodeOf(failure));
  if (code === "TooLarge") {
    return new ParasausError(
      "TooLarge",
      "Cannot read the request: its body is larger than this route takes, 3 MiB at most",
      {
        cause: failure,
      },
    );
  }
  if (code !== undefined && failure instanceof Error) {
    return new ParasausError(code, `Cannot read the request: ${failure.message}`, { cause: failure });
  }
  return new ParasausError(
    "Internal",
    "Cannot answer the request: an internal error occurred, see the server's log",
    {
      cause: failure,
    },
  );
}

/** A refusal as Kubernetes' clients read it. */
export function failureStatus(refusal: ParasausError): Status {
  const { http, kubeReason } = ERROR_CODES[refusal.code];
  const details = {
    ...(refusal.object === undefined ? {} : refusal.object),
    ...(refusal.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: refusal.retryAfterSeconds }),
    ...(refusal.fields.length === 0 ? {} : { causes: refusal.fields.map(causeOf) }),
  };
  return {
    apiVersion: "v1",
    kind: "Status",
    metadata: {},
    status: "Failure",
    message: messageOf(refusal),
    reason: kubeReason,
    ...(Object.keys(details).length === 0 ? {} : { details }),
    code: http,
  };
}

/** A refusal for who does not speak Kubernetes: RFC 9457. What stands in a Status stands beside, but for its `status`. */
export function failureProblem(refusal: ParasausError): Readonly<Record<string, unknown>> {
  const { status: _, ...members } = failureStatus(refusal);
  return {
    type: `/api/docs#${refusal.code}`,
    title: refusal.code,
    status: members.code,
    detail: refusal.message,
    ...(refusal.fields.length === 0 ? {} : { errors: refusal.fields.map(causeOf) }),
    ...members,
  };
}

/** A code of our own for what the HTTP layer refuses; undefined for what is no fault of the client. */
function codeOf(statusCode: number | undefined): ErrorCode | undefined {
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return undefined;
  return HTTP_CODES[statusCode] ?? "BadRequest";
}

function statusCodeOf(failure: unknown): number | undefined {
  const code = failure instanceof Error && "statusCode" in failure ? failure.statusCode : undefined;
  return typeof code === "number" ? code : undefined;
}

function causeOf({ field, reason, message }: FieldError): { field: string; reason: string; message: string } {
  return { field, reason, message };
}

/** kubectl shows the causes of `Invalid` alone; for every other reason the fields must be in the message. */
function messageOf(refusal: ParasausError): string {
  const unnamed = refusal.fields.filter(({ field }) => !refusal.message.includes(field));
  if (unnamed.length === 0) return refusal.message;
  return `${refusal.message}: ${unnamed.map(({ field, message }) => `${field}: ${message}`).join(", ")}`;
}
