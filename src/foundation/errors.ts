/** Everything Parasaus can refuse to do, and how each refusal looks from outside. */
export const ERROR_CODES = {
  BadRequest: { http: 400, kubeReason: "BadRequest", retryable: false },
  Unauthorized: { http: 401, kubeReason: "Unauthorized", retryable: false },
  Forbidden: { http: 403, kubeReason: "Forbidden", retryable: false },
  NotFound: { http: 404, kubeReason: "NotFound", retryable: false },
  MethodNotAllowed: { http: 405, kubeReason: "MethodNotAllowed", retryable: false },
  AlreadyExists: { http: 409, kubeReason: "AlreadyExists", retryable: false },
  Conflict: { http: 409, kubeReason: "Conflict", retryable: true },
  Expired: { http: 410, kubeReason: "Expired", retryable: false },
  PreconditionFailed: { http: 412, kubeReason: "Conflict", retryable: false },
  TooLarge: { http: 413, kubeReason: "RequestEntityTooLarge", retryable: false },
  UnsupportedMediaType: { http: 415, kubeReason: "UnsupportedMediaType", retryable: false },
  Invalid: { http: 422, kubeReason: "Invalid", retryable: false },
  TooManyRequests: { http: 429, kubeReason: "TooManyRequests", retryable: true },
  Internal: { http: 500, kubeReason: "InternalError", retryable: false },
  KernelUnsupported: { http: 501, kubeReason: "MethodNotAllowed", retryable: false },
  Unavailable: { http: 503, kubeReason: "ServiceUnavailable", retryable: true },
  FenceLost: { http: 503, kubeReason: "ServiceUnavailable", retryable: false },
  Timeout: { http: 504, kubeReason: "Timeout", retryable: true },
  StorageFull: { http: 507, kubeReason: "InsufficientStorage", retryable: true },
  StoreCorrupt: { http: 500, kubeReason: "InternalError", retryable: false },
  RestoreUnfinished: { http: 503, kubeReason: "ServiceUnavailable", retryable: false },
  CapacityExceeded: { http: 422, kubeReason: "Invalid", retryable: false },
  KernelError: { http: 500, kubeReason: "InternalError", retryable: true },
  Usage: { http: 400, kubeReason: "BadRequest", retryable: false },
} as const;

/** Why Parasaus refused; the key of {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** One wrong field of an object: where it is, what was found there and what is allowed. */
export interface FieldError {
  /** Path in the object as users write it: `spec.members[1].port`. */
  readonly field: string;
  /** Kubernetes' cause: how the value is wrong. */
  readonly reason:
    | "FieldValueRequired"
    | "FieldValueInvalid"
    | "FieldValueDuplicate"
    | "FieldValueNotSupported"
    | "FieldValueForbidden"
    | "FieldValueTooLong"
    | "FieldValueTooMany";
  /** One sentence without full stop that quotes the value found. */
  readonly message: string;
}

/** What may accompany a refusal besides its message. */
export interface ParasausErrorOptions extends ErrorOptions {
  /** The wrong fields, for `Invalid` and `BadRequest`. */
  readonly fields?: readonly FieldError[];
  /** The object that the refusal is about. */
  readonly object?: { readonly group: string; readonly kind: string; readonly name: string };
  /** For `TooManyRequests`: when to ask again, seconds. */
  readonly retryAfterSeconds?: number;
}

/** The only error class that crosses a room boundary. */
export class ParasausError extends Error {
  override readonly name = "ParasausError";
  readonly code: ErrorCode;
  readonly fields: readonly FieldError[];
  readonly object: ParasausErrorOptions["object"];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: ParasausErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.fields = options.fields ?? [];
    this.object = options.object;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Narrows an unknown failure to a Parasaus refusal with this code. */
export function hasCode(failure: unknown, code: ErrorCode): failure is ParasausError {
  return failure instanceof ParasausError && failure.code === code;
}
