/** The server's error envelope. */
export interface ApiErrorBody {
  code: string;
  message: string;
}

/** The server refused a call, or could not be reached. The base of everything that this package throws. */
export class StacyVMError extends Error {
  /** Code of the problem, such as `BAD_REQUEST`; empty when there was none. */
  readonly code: string;
  /** HTTP status; undefined when the server did not answer, or the problem came within a stream. */
  readonly statusCode: number | undefined;
  /** What to look for in the server's log. */
  requestId: string | undefined;

  constructor(message: string, code = "", statusCode?: number, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.statusCode = statusCode;
  }
}

/** There is no such sandbox, it is gone, or it is not the caller's. */
export class SandboxNotFoundError extends StacyVMError {
  /** The id that was asked for. */
  readonly sandboxId: string;

  constructor(sandboxId: string, message?: string) {
    super(message ?? `Sandbox '${sandboxId}' not found`, "NOT_FOUND", 404);
    this.sandboxId = sandboxId;
  }
}

/**
 * Something else is missing: a file, a process, a template, a provider, a quota. Programs written for the first clients expect
 * {@link SandboxNotFoundError} for everything that is missing, so this is a kind of it: look for this one first to tell the two apart.
 */
export class NotFoundError extends SandboxNotFoundError {}

/** A command did not end in its time; it was killed with all its children. */
export class ExecTimeoutError extends StacyVMError {}

/** A quota, a capacity, a maximum or a rate is reached. */
export class ResourceLimitError extends StacyVMError {
  /** Seconds after which the server wants to be asked again; undefined when it did not say. */
  retryAfter: number | undefined;
}

/** The server, or the isolation level behind it, failed: any status from 500 on. */
export class ProviderError extends StacyVMError {
  constructor(message: string, code = "PROVIDER_ERROR", statusCode?: number) {
    super(message, code, statusCode);
  }
}

/** The server cannot be reached, or the connection broke before the answer was complete. */
export class ConnectionError extends StacyVMError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, "CONNECTION_ERROR", undefined, options);
  }
}

/** The server was silent for longer than the client's `timeout`. A command that ran out of time is {@link ExecTimeoutError}. */
export class TimeoutError extends ConnectionError {}

const STATUS_OF_CODE: Record<string, number> = { TIMEOUT: 408, RESOURCE_LIMIT: 429, NOT_FOUND: 404, BAD_REQUEST: 400, CONFLICT: 409 };

/** The error for a row of the server's table of problems. Without a status, within a stream, the code decides. */
export function errorOf(status: number | undefined, code: string | undefined, message: string, sandboxId?: string): StacyVMError {
  status ??= STATUS_OF_CODE[code ?? ""];
  switch (true) {
    case status === 404:
      // The server begins its text with the kind of what is missing; the code is the same for all of them.
      return sandboxId && /^sandbox (not found|destroyed)/.test(message)
        ? new SandboxNotFoundError(sandboxId, message)
        : new NotFoundError(sandboxId ?? message, message);
    case status === 401:
      return new StacyVMError(message, "UNAUTHORIZED", 401);
    case status === 408:
      return new ExecTimeoutError(message, code || "TIMEOUT", 408);
    case status === 429 || code === "RESOURCE_LIMIT":
      return new ResourceLimitError(message, code || "RESOURCE_LIMIT", status);
    case status === undefined || status >= 500:
      return new ProviderError(message, code, status);
    default:
      return new StacyVMError(message, code, status);
  }
}

/** The error that an answer stands for. */
export async function errorOfResponse(response: Response, sandboxId?: string): Promise<StacyVMError> {
  const text = await response.text().catch(() => "");
  let code: string | undefined;
  // A proxy's page or plain text is shown as it is, within reason.
  let message = text.trim().slice(0, 300);
  try {
    const body = JSON.parse(text) as Partial<ApiErrorBody> | null;
    code = body?.code;
    message = body?.message ?? message;
  } catch {
    // Not the envelope.
  }
  const error = errorOf(response.status, code, message || `HTTP ${response.status} ${response.statusText}`.trim(), sandboxId);
  error.requestId = response.headers.get("X-Request-ID") ?? undefined;
  const retryAfter = response.headers.get("Retry-After");
  if (error instanceof ResourceLimitError && retryAfter !== null && /^\d+$/.test(retryAfter)) error.retryAfter = Number(retryAfter);
  return error;
}

/** The JSON of a successful answer (undefined when it has none); throws what any other answer stands for. */
export async function handleResponse<T>(response: Response, sandboxId?: string): Promise<T> {
  if (!response.ok) throw await errorOfResponse(response, sandboxId);
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}
