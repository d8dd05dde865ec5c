import { type ErrorCode, type FieldError, ParasausError } from "../../foundation/index.ts";

/** Kubernetes' `Status`, as far as a refusal is read from it. */
interface FailureStatus {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly causes?: readonly {
      readonly field?: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

const CODE_OF_REASON: Readonly<Record<string, ErrorCode>> = {
  BadRequest: "BadRequest",
  Unauthorized: "Unauthorized",
  Forbidden: "Forbidden",
  NotFound: "NotFound",
  MethodNotAllowed: "MethodNotAllowed",
  AlreadyExists: "AlreadyExists",
  Conflict: "Conflict",
  Expired: "Expired",
  Gone: "Expired",
  RequestEntityTooLarge: "TooLarge",
  UnsupportedMediaType: "UnsupportedMediaType",
  Invalid: "Invalid",
  TooManyRequests: "TooManyRequests",
  InternalError: "Internal",
  ServiceUnavailable: "Unavailable",
  Timeout: "Timeout",
  ServerTimeout: "Timeout",
  InsufficientStorage: "StorageFull",
};

const CODE_OF_HTTP: Readonly<Record<number, ErrorCode>> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  409: "Conflict",
  410: "Expired",
  412: "PreconditionFailed",
  413: "TooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  503: "Unavailable",
  504: "Timeout",
  507: "StorageFull",
};

/**
 * The refusal that an answer amounts to; a body that is no `Status` is told by its HTTP code alone.
 *
 * @param retryAfter The header of that name; a date in it is not read.
 */
export function refusalOf(httpCode: number, body: unknown, retryAfter?: string): ParasausError {
  const status = isStatus(body) ? body : {};
  const httpDefault = httpCode < 500 ? "BadRequest" : "Internal";
  const code = CODE_OF_REASON[status.reason ?? ""] ?? CODE_OF_HTTP[httpCode] ?? httpDefault;
  const { name, group = "", kind = "", causes = [] } = status.details ?? {};
  return new ParasausError(code, status.message ?? `The server answered ${httpCode}`, {
    fields: causes.map(fieldOf),
    ...(retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter)
      ? { retryAfterSeconds: Number(retryAfter) }
      : {}),
    ...(name === undefined ? {} : { object: { group, kind, name } }),
  });
}

/** Whether a parsed body is a `Status`. */
export function isStatus(body: unknown): body is FailureStatus {
  return typeof body === "object" && body !== null && "kind" in body && body.kind === "Status";
}

function fieldOf(cause: { field?: string; reason?: string; message?: string }): FieldError {
  return {
    field: cause.field ?? "",
    reason: (cause.reason ?? "FieldValueInvalid") as FieldError["reason"],
    message: cause.message ?? "",
  };
}
