import { ConnectionError, ResourceLimitError, StacyVMError, TimeoutError, errorOfResponse } from "./errors.js";
import type { StacyVMClientConfig } from "./types.js";

const DEFAULT_TIMEOUT = 30_000;

/** With the default timeout, a spawn or a command may be silent for so long. */
const SLOW_TIMEOUT = 600_000;

/** The server says something at least every 15 s on a stream; a longer silence than this one means a dead peer. */
const LONGEST_SILENCE = 45_000;

/** One request. */
export interface Call {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/api/v1`. */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is, instead of JSON. */
  body?: BodyInit;
  headers?: Record<string, string>;
  /** The sandbox that the call is about. */
  sandboxId?: string;
  /** It may be silent for long: an image is pulled, a command runs. */
  slow?: boolean;
  /** A command's own time limit: the client waits at least as long. */
  execTimeout?: string | undefined;
  /** A status beyond the successful ones that is an answer and not an error. */
  accepted?: number;
  signal?: AbortSignal | undefined;
}

/** The one way to the server for all classes: address, headers, timeouts, retries and errors in one place. */
export class Connection {
  readonly baseUrl: string;
  private readonly headers: Record<string, string> = {};
  private readonly timeout: number | undefined;
  private readonly retries: number;

  constructor(config: string | StacyVMClientConfig) {
    const options = typeof config === "string" ? { baseUrl: config } : config;
    this.baseUrl = (options.baseUrl ?? `http://${options.host ?? "localhost"}:${options.port ?? 7423}`).replace(/\/+$/, "");
    this.timeout = options.timeout;
    this.retries = options.retries ?? 0;
    if (options.apiKey) this.headers["X-API-Key"] = options.apiKey;
    if (options.userId) this.headers["X-User-ID"] = options.userId;
    if (options.tenantId) this.headers["X-Tenant-ID"] = options.tenantId;
    if (options.adminApiKey) this.headers["X-Admin-API-Key"] = options.adminApiKey;
    if (options.bearerToken) this.headers["Authorization"] = `Bearer ${options.bearerToken}`;
  }

  /** Sends, and reads the whole answer as JSON. */
  async call<T>(call: Call): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        const watch = this.watch(call, this.patience(call));
        try {
          const response = await this.send(call, watch);
          const text = await watch.guard(response.text());
          return (text === "" ? undefined : JSON.parse(text)) as T;
        } catch (fault) {
          if (fault instanceof SyntaxError)
            throw new ConnectionError(`${this.baseUrl} answered ${call.method} ${call.path} with something that is not JSON; is it a StacyVM server?`);
          throw fault;
        } finally {
          watch.end();
        }
      } catch (fault) {
        const pause = this.pause(call, attempt, fault);
        if (pause === undefined) throw fault;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  /** Sends, and gives the body of the answer as it comes; null for an answer that is merely accepted. Only silence is bounded. */
  async stream(call: Call): Promise<ReadableStream<Uint8Array> | null> {
    const watch = this.watch(call, Math.max(this.timeout ?? DEFAULT_TIMEOUT, LONGEST_SILENCE));
    let response: Response;
    try {
      response = await this.send(call, watch);
    } catch (fault) {
      watch.end();
      throw fault;
    }
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      watch.end();
      return null;
    }
    const reader = response.body.getReader();
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          try {
            watch.restart();
            const { done, value } = await watch.guard(reader.read());
            watch.rest();
            if (done) {
              watch.end();
              controller.close();
            } else {
              controller.enqueue(value);
            }
          } catch (fault) {
            watch.end();
            controller.error(fault);
          }
        },
        async cancel() {
          // Closes the connection, and the server abandons the work.
          watch.end();
          watch.abort();
          await reader.cancel().catch(() => undefined);
        },
      },
      { highWaterMark: 0 },
    );
  }

  private async send(call: Call, watch: Watch): Promise<Response> {
    const query = Object.entries(call.query ?? {}).filter(([, value]) => value !== undefined);
    const search = query.length === 0 ? "" : `?${query.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join("&")}`;
    const body = call.json === undefined ? call.body : JSON.stringify(call.json);
    const init: RequestInit & { duplex?: "half" } = {
      method: call.method,
      headers: { ...this.headers, ...(call.json === undefined ? {} : { "Content-Type": "application/json" }), ...call.headers },
      signal: watch.signal,
    };
    if (body !== undefined) init.body = body;
    if (body instanceof ReadableStream) init.duplex = "half";
    const response = await watch.guard(fetch(`${this.baseUrl}/api/v1${call.path}${search}`, init));
    if (!response.ok && response.status !== call.accepted) throw await errorOfResponse(response, call.sandboxId);
    return response;
  }

  private watch(call: Call, silence: number): Watch {
    return new Watch(silence, call.signal, (fault) => this.translate(call, fault, silence));
  }

  private translate(call: Call, fault: unknown, silence: number): unknown {
    if (fault === SILENT || isSilence(fault))
      return new TimeoutError(`the server at ${this.baseUrl} did not answer ${call.method} ${call.path} within ${silence} ms; a larger timeout waits longer`, { cause: fault });
    if (call.signal?.aborted || fault instanceof StacyVMError) return call.signal?.aborted ? (call.signal.reason ?? fault) : fault;
    const cause = fault instanceof Error && fault.cause instanceof Error ? fault.cause.message || String((fault.cause as { code?: unknown }).code) : String(fault);
    return new ConnectionError(`Cannot connect to StacyVM server at ${this.baseUrl}: ${cause}`, { cause: fault });
  }

  private patience(call: Call): number {
    const timeout = this.timeout ?? DEFAULT_TIMEOUT;
    if (!call.slow) return timeout;
    const limit = milliseconds(call.execTimeout);
    return Math.max(this.timeout ?? SLOW_TIMEOUT, limit === 0 ? 0 : limit + timeout);
  }

  /** Milliseconds to wait before the call is made again; undefined when it is not to be. */
  private pause(call: Call, attempt: number, fault: unknown): number | undefined {
    if (attempt >= this.retries || call.signal?.aborted || call.body instanceof ReadableStream) return undefined;
    // The server says that it did nothing and when to come back: good for every method.
    if (fault instanceof ResourceLimitError && fault.retryAfter !== undefined) return fault.retryAfter * 1000;
    const passing = fault instanceof ConnectionError || (fault instanceof StacyVMError && [429, 502, 503, 504].includes(fault.statusCode ?? 0));
    return call.method === "GET" && passing ? Math.min(200 * 2 ** attempt, 5000) : undefined;
  }
}

const SILENT = Symbol("silent");

/** A timer for longer than this fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Ends a request when the server is silent for too long, or when the caller has given up. */
class Watch {
  private readonly controller = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly giveUp = (): void => this.controller.abort(this.caller?.reason);

  constructor(
    private readonly silence: number,
    private readonly caller: AbortSignal | undefined,
    private readonly translate: (fault: unknown) => unknown,
  ) {
    if (caller?.aborted) this.giveUp();
    caller?.addEventListener("abort", this.giveUp);
    this.restart();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  restart(): void {
    this.rest();
    this.timer = setTimeout(() => this.controller.abort(SILENT), Math.min(this.silence, LONGEST_TIMER));
  }

  rest(): void {
    clearTimeout(this.timer);
  }

  abort(): void {
    this.controller.abort();
  }

  end(): void {
    this.rest();
    this.caller?.removeEventListener("abort", this.giveUp);
  }

  async guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (fault) {
      throw this.translate(this.signal.aborted ? this.signal.reason : fault);
    }
  }
}

// The runtime's own limits, where it has some.
function isSilence(fault: unknown): boolean {
  const code = ((fault as { cause?: { code?: unknown } } | undefined)?.cause?.code ?? "") as string;
  return /^UND_ERR_(HEADERS|BODY|CONNECT)_TIMEOUT$/.test(code);
}

const UNITS: Record<string, number> = { ns: 1e-6, us: 1e-3, "µs": 1e-3, "μs": 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** How long a duration text such as `1m30s` is; 0 for what is none: the server says what is wrong with it. */
function milliseconds(duration: string | undefined): number {
  let sum = 0;
  for (const [, number, unit] of (duration ?? "").matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) sum += Number(number) * UNITS[unit!]!;
  return sum;
}
