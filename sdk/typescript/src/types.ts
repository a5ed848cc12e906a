/** How a client reaches its server and who it is there. */
export interface StacyVMClientConfig {
  /** Default `localhost`. */
  host?: string;
  /** Default 7423. */
  port?: number;
  /** `http://host:port` or `https://…`; wins over host and port. */
  baseUrl?: string;
  /** Sent as `X-API-Key`. */
  apiKey?: string;
  /** Sent as `X-User-ID`: the owner of what this client spawns. */
  userId?: string;
  /**
   * Milliseconds that the server may be silent. Default 30,000; a spawn (an image may have to be pulled) or a command may then be silent
   * for ten minutes. With a value of your own they, too, have to keep to it, but a command with a `timeout` is always waited for.
   */
  timeout?: number;
  /** Sent as `X-Tenant-ID`. */
  tenantId?: string;
  /** Sent as `X-Admin-API-Key`. */
  adminApiKey?: string;
  /** Sent as `Authorization: Bearer`. */
  bearerToken?: string;
  /** How often a read that did not get through, or any call that was answered 429 with `Retry-After`, is made again. Default 0. */
  retries?: number;
}

export type StacyVMClientOptions = StacyVMClientConfig;

/** What every call takes. */
export interface CallOptions {
  /** Gives up: the server abandons what it was doing for the call. */
  signal?: AbortSignal | undefined;
}

export type SandboxState = "creating" | "running" | "paused" | "unhealthy" | "expired" | "stopped" | "destroyed" | "error" | "destroying" | "idle";

/** What to start; what is left out is the server's default. */
export interface SandboxConfig {
  image?: string;
  /** The isolation level. */
  provider?: string;
  /** MiB. */
  memory_mb?: number;
  vcpus?: number;
  /** Time until it is destroyed, such as `30m`. */
  ttl?: string;
  owner_id?: string;
  template?: string;
  /** Start from it instead of an image; see `Sandbox.checkpoint`. */
  checkpoint?: string;
  metadata?: Record<string, string>;
}

export interface SpawnOptions extends SandboxConfig, CallOptions {}

export interface SandboxInfo {
  id: string;
  state: SandboxState;
  provider: string;
  /** The image that really runs. */
  image: string;
  memory_mb: number;
  vcpus: number;
  created_at: string;
  /** When it is destroyed unless extended. */
  expires_at: string;
  metadata?: Record<string, string>;
  preview_domain?: string;
  preview_url_scheme?: string;
  owner_id?: string;
  tenant_id?: string;
  worker_id?: string;
  /** Name of the checkpoint from which it was started. */
  checkpoint?: string;
  /** The sandbox whose saved state it was started from, by a fork or a checkpoint. */
  parent_sandbox?: string;
  /** Why the state is what it is, when something went wrong. */
  reason?: string;
}

/** What was saved of a sandbox. */
export interface Checkpoint {
  id: string;
  name: string;
  state: "creating" | "ready" | "deleting" | "missing";
  provider: string;
  /** `files`: processes start anew; `memory`: they go on where they were. */
  content: "files" | "memory";
  image: string;
  memory_mb: number;
  vcpus: number;
  size_bytes: number;
  owner_id?: string;
  tenant_id?: string;
  /** The sandbox that was saved. */
  sandbox_id: string;
  /** Name of the checkpoint from which that sandbox had been started. */
  parent_checkpoint?: string;
  metadata?: Record<string, string>;
  created_at: string;
  reason?: string;
}

/** How a sandbox is copied. */
export interface ForkOptions extends CallOptions {
  /** 1 to 100; default 1. */
  count?: number;
  /** Life of each copy. */
  ttl?: string;
  /** Noted on each copy, over what is noted on the first sandbox. */
  metadata?: Record<string, string>;
}

/** Why a copy did not come. */
export interface ForkFailure {
  code: string;
  message: string;
}

/** An image in the server's store. */
export interface Image {
  /** Of its configuration; two images with the same one are the same. */
  digest: string;
  names: string[];
  size_bytes: number;
  layers: number;
  created_at?: string;
  stored_at: string;
  user?: string;
  working_dir?: string;
  /** Names of the environment variables that it sets. */
  env?: string[];
  entrypoint?: string[];
  cmd?: string[];
}

export interface ImagePruneResult {
  /** By name or digest. */
  removed: string[];
  freed_bytes: number;
}

export interface ExecOptions extends CallOptions {
  /** Appended to the command; quoted for the shell. */
  args?: string[];
  /** `shell` (default), or `argv`: no shell in between. */
  mode?: "shell" | "argv";
  /** Added to the sandbox's environment. */
  env?: Record<string, string>;
  /** Default `/workspace`. */
  workdir?: string;
  /** Duration, such as `90s`, after which the command is killed with all its children. */
  timeout?: string;
  /** Text for its standard input; without it that is empty. */
  stdin?: string;
}

export interface ExecResult {
  /** 128 + signal when a signal ended it. */
  exit_code: number;
  stdout: string;
  stderr: string;
  /** Duration text, measured by the server. */
  duration: string;
  /** Output beyond the server's bound was dropped. */
  truncated?: boolean;
}

/** A piece of output. The last one has empty data and says how the command ended. */
export interface StreamChunk {
  stream: "stdout" | "stderr";
  data: string;
  exit_code?: number;
  duration?: string;
  /** Only on the last chunk, when the command did not end by itself: why. */
  code?: string;
  /** On attached streams: bytes of output up to and including this chunk. */
  offset?: number;
}

/** A process that was started through the server. */
export interface ProcessInfo {
  /** Number within the sandbox, for attach, signal and kill. */
  process_id: number;
  /** Process id inside the sandbox. */
  pid: number;
  command: string;
  running: boolean;
  exit_code?: number;
  started_at?: string;
  /** Bytes of output since the start. */
  output_bytes?: number;
}

export interface SessionOptions extends Omit<ExecOptions, "stdin"> {
  /** Run on a terminal; all output is then `stdout`. */
  tty?: boolean;
  /** Default 80. */
  cols?: number;
  /** Default 24. */
  rows?: number;
  /** Keep it running when the session is closed or breaks. Default: it is killed with all its children. */
  background?: boolean;
}

/** A piece of output of a session, as the bytes that the command wrote. */
export interface SessionOutput {
  stream: "stdout" | "stderr";
  data: Uint8Array;
}

export interface FileInfo {
  /** Absolute path in the sandbox. */
  path: string;
  /** Last part of the path. */
  name: string;
  size: number;
  is_dir: boolean;
  mod_time: string;
  /** Four octal digits. */
  mode: string;
  type?: "file" | "directory" | "symlink" | "other";
}

/** What a file is written from. */
export type FileContent = string | Uint8Array | ArrayBuffer | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

export interface ReadOptions extends CallOptions {
  /** Bytes to skip. */
  offset?: number;
  /** Bytes to read at most. */
  length?: number;
}

/** What a sandbox uses now. */
export interface SandboxStats {
  supported: boolean;
  /** Percent of one processor; may exceed 100. */
  cpu_pct?: number;
  mem_bytes?: number;
  mem_limit_bytes?: number;
  processes?: number;
  disk_bytes?: number;
}

/** A port on which a sandbox listens, with its preview. */
export interface PortInfo {
  port: number;
  preview_url: string;
}

/** What a template is saved from. */
export interface TemplateConfig {
  name: string;
  image: string;
  memory_mb?: number;
  vcpus?: number;
  ttl?: string;
  provider?: string;
  metadata?: Record<string, string>;
  description?: string;
  /** Commands that are run once in a new sandbox. */
  setup?: string[];
  env?: Record<string, string>;
  /** Path → content. */
  files?: Record<string, string>;
  /** Values are never returned. */
  secrets?: { name: string; inject_at: string; value?: string }[];
  allowed_hosts?: string[];
  pool_size?: number;
}

export interface Template extends TemplateConfig {
  memory_mb: number;
  vcpus: number;
  ttl: string;
  provider: string;
  metadata: Record<string, string>;
  version?: number;
  created_at?: string;
  updated_at?: string;
}

export interface TemplateSpawnOverrides extends CallOptions {
  provider?: string;
  ttl?: string;
}

export interface ProviderInfo {
  name: string;
  healthy: boolean;
  default: boolean;
  latency_ms?: number;
  last_checked?: string;
  error?: string;
  capabilities?: string[];
}

export interface HealthInfo {
  status: string;
  version: string;
  uptime: string;
}

export interface ReadyInfo extends HealthInfo {
  providers?: ProviderInfo[];
  ready_providers?: number;
  total_providers?: number;
}

export interface VMPoolStatus {
  enabled: boolean;
  vms?: number;
  max_vms?: number;
  total_users?: number;
  max_users_per_vm?: number;
}

/** Whether a spawn would be let in now. */
export interface SpawnAdmissionDecision {
  allowed: boolean;
  /** It would have to wait in the queue. */
  queueable: boolean;
  /** `max_ttl`, `max_sandboxes`, … when it is not allowed. */
  reason?: string;
  active_sandboxes: number;
  /** 0: no limit. */
  max_sandboxes: number;
  active_owner_sandboxes?: number;
  max_owner_sandboxes?: number;
  max_ttl?: string;
}

export interface QuotaSummary {
  total: number;
  with_max_sandboxes: number;
  with_max_ttl: number;
  with_max_exec_timeout: number;
}

/** Limits of one owner; what is left out inherits the server's defaults. */
export interface QuotaConfig {
  max_sandboxes?: number;
  max_ttl?: string;
  max_exec_timeout?: string;
}

export interface Quota extends Required<QuotaConfig> {
  owner_id: string;
  created_at: string;
  updated_at: string;
}

export interface QuotaUsage extends Required<QuotaConfig> {
  owner_id: string;
  active_sandboxes: number;
  quota_configured: boolean;
}

/** Something that happened. */
export interface StacyVMEvent {
  /** `evt-` and a counter: where to begin again. */
  id: string;
  /** For example `sandbox.created`. */
  type: string;
  sandbox_id?: string;
  timestamp: string;
  data?: Record<string, string>;
}

export interface EventFilter extends CallOptions {
  type?: string;
  sandboxId?: string;
  /** Begin after this event, such as `evt-12`; without it only what is new comes. */
  afterId?: string;
}
