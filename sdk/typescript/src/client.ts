import "./dispose.js";
import { Connection } from "./connection.js";
import { CheckpointManager } from "./checkpoints.js";
import { EventStream } from "./events.js";
import { ImageManager } from "./images.js";
import { QuotaManager } from "./quotas.js";
import { Sandbox } from "./sandbox.js";
import { TemplateManager } from "./templates.js";
import type {
  CallOptions,
  EventFilter,
  HealthInfo,
  ProviderInfo,
  QuotaSummary,
  ReadyInfo,
  SandboxInfo,
  SpawnAdmissionDecision,
  SpawnOptions,
  StacyVMClientConfig,
  VMPoolStatus,
} from "./types.js";

const DEFAULT_IMAGE = "alpine:latest";

/** A client of one StacyVM server: `new Client("http://localhost:7423")`. Make one and keep it. */
export class Client {
  readonly templates: TemplateManager;
  readonly quotas: QuotaManager;
  readonly checkpoints: CheckpointManager;
  readonly images: ImageManager;
  private readonly connection: Connection;

  constructor(config: string | StacyVMClientConfig = {}) {
    this.connection = new Connection(config);
    this.templates = new TemplateManager(this.connection);
    this.quotas = new QuotaManager(this.connection);
    this.checkpoints = new CheckpointManager(this.connection);
    this.images = new ImageManager(this.connection);
  }

  /** Starts a sandbox and waits until it can run commands. Aborting abandons it; nothing stays behind. */
  async spawn(options: SpawnOptions = {}): Promise<Sandbox> {
    const { signal, ...rest } = options;
    const json = { image: DEFAULT_IMAGE, ...defined(rest) };
    return new Sandbox(this.connection, await this.connection.call<SandboxInfo>({ method: "POST", path: "/sandboxes", json, slow: true, signal }));
  }

  /** Whether such a spawn would be let in now; nothing is started. */
  admission(options: SpawnOptions = {}): Promise<SpawnAdmissionDecision> {
    const { signal, template: _, checkpoint: __, ...rest } = options;
    return this.connection.call({ method: "POST", path: "/sandboxes/admission", json: defined(rest), signal });
  }

  /** A living sandbox. */
  async get(id: string, options: CallOptions = {}): Promise<Sandbox> {
    const info = await this.connection.call<SandboxInfo>({ method: "GET", path: `/sandboxes/${encodeURIComponent(id)}`, sandboxId: id, ...options });
    return new Sandbox(this.connection, info);
  }

  /** A sandbox by its id, without asking the server: only its id is known until `refresh`. */
  refer(id: string): Sandbox {
    return new Sandbox(this.connection, { id } as SandboxInfo);
  }

  /** All sandboxes that the caller may see, newest first. */
  list(options: CallOptions = {}): Promise<SandboxInfo[]> {
    return this.connection.call({ method: "GET", path: "/sandboxes", ...options });
  }

  /** Destroys what has expired and is still there; how many. */
  async prune(options: CallOptions = {}): Promise<number> {
    return (await this.connection.call<{ pruned?: number }>({ method: "DELETE", path: "/sandboxes", slow: true, ...options })).pruned ?? 0;
  }

  /** Whether the server answers, its version and uptime. */
  health(options: CallOptions = {}): Promise<HealthInfo> {
    return this.connection.call({ method: "GET", path: "/health", ...options });
  }

  /** Whether sandboxes can be made. A server that is not ready is an answer, not an error. */
  ready(options: CallOptions = {}): Promise<ReadyInfo> {
    return this.connection.call({ method: "GET", path: "/ready", accepted: 503, ...options });
  }

  /** The isolation levels with their health. */
  providers(options: CallOptions = {}): Promise<ProviderInfo[]> {
    return this.connection.call({ method: "GET", path: "/providers", ...options });
  }

  poolStatus(options: CallOptions = {}): Promise<VMPoolStatus> {
    return this.connection.call({ method: "GET", path: "/pool/status", ...options });
  }

  quotaSummary(options: CallOptions = {}): Promise<QuotaSummary> {
    return this.quotas.summary(options);
  }

  /** Events as they happen: `for await (const event of client.events())`. */
  events(filter: EventFilter = {}): EventStream {
    return new EventStream(this.connection, filter);
  }

  /** Starts a sandbox, runs the callback with it and destroys it, whatever happened. */
  async withSandbox<T>(options: SpawnOptions, callback: (sandbox: Sandbox) => Promise<T> | T): Promise<T> {
    const sandbox = await this.spawn(options);
    try {
      return await callback(sandbox);
    } finally {
      await sandbox[Symbol.asyncDispose]();
    }
  }
}

function defined(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
