import "./dispose.js";
import type { Call, Connection } from "./connection.js";
import { StacyVMError } from "./errors.js";
import { ExecSession, startMessage } from "./session.js";
import { ExecStream } from "./streaming.js";
import type {
  CallOptions,
  Checkpoint,
  ExecOptions,
  ExecResult,
  FileContent,
  FileInfo,
  ForkFailure,
  ForkOptions,
  PortInfo,
  ProcessInfo,
  ReadOptions,
  SandboxInfo,
  SandboxState,
  SandboxStats,
  SessionOptions,
} from "./types.js";

/** Beyond this, text goes as a raw body, which the server takes in any size. */
const LARGEST_JSON_TEXT = 256 * 1024;

/**
 * A sandbox. `await using sandbox = await client.spawn()` destroys it at the end of the block. Paths are absolute in the sandbox; relative
 * ones begin at its working directory. Modes are octal text such as `0644`, durations text such as `90s` or `1h30m`.
 */
export class Sandbox implements AsyncDisposable {
  private current: SandboxInfo;
  private readonly path: string;

  /** @internal */
  constructor(
    private readonly connection: Connection,
    info: SandboxInfo,
  ) {
    this.current = info;
    this.path = `/sandboxes/${encodeURIComponent(info.id)}`;
  }

  get id(): string {
    return this.current.id;
  }

  /** As the server last told it. */
  get state(): SandboxState {
    return this.current.state;
  }

  /** The image that really runs. */
  get image(): string {
    return this.current.image;
  }

  get provider(): string {
    return this.current.provider;
  }

  get memoryMb(): number {
    return this.current.memory_mb;
  }

  get vcpus(): number {
    return this.current.vcpus;
  }

  /** A copy of everything that the server last told. */
  get info(): SandboxInfo {
    return { ...this.current };
  }

  /** Runs a command to its end. One that fails is a result, not an error. */
  exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    return this.post("/exec", execBody(command, options), { slow: true, execTimeout: options.timeout, signal: options.signal });
  }

  /**
   * Runs a command and gives its output as it comes. The last chunk is empty and carries `exit_code`, which is then also on the stream.
   * Text only: for bytes, input and signals see {@link openSession}.
   */
  execStream(command: string, options: ExecOptions = {}): ExecStream {
    return new ExecStream(this.connection, this.request("POST", "/exec", { json: { ...execBody(command, options), stream: true }, signal: options.signal }));
  }

  /** Starts a command that runs on without a client. Its output is kept (the newest part, when it is much). */
  startBackground(command: string, options: ExecOptions = {}): Promise<ProcessInfo> {
    return this.post("/exec", { ...execBody(command, options), background: true }, { slow: true, signal: options.signal });
  }

  /** What runs and was started through the server, and what ended not long ago. */
  processes(options: CallOptions = {}): Promise<ProcessInfo[]> {
    return this.get("/processes", {}, options);
  }

  process(processId: number, options: CallOptions = {}): Promise<ProcessInfo> {
    return this.get(`/processes/${processId}`, {}, options);
  }

  /** Replays what a process has printed, from an offset in bytes; `follow` waits for more until it ends. */
  processOutput(processId: number, options: { offset?: number; follow?: boolean } & CallOptions = {}): ExecStream {
    const query = { offset: options.offset ?? 0, follow: options.follow ?? false };
    return new ExecStream(this.connection, this.request("GET", `/processes/${processId}/output`, { query, signal: options.signal }));
  }

  /** Sends `SIGINT`, `INT` or a number. */
  async signalProcess(processId: number, signal: string | number, options: CallOptions = {}): Promise<void> {
    await this.post(`/processes/${processId}/signal`, { signal: String(signal) }, options);
  }

  /** Kills a process with all its children. */
  async killProcess(processId: number, options: CallOptions = {}): Promise<void> {
    await this.connection.call(this.request("DELETE", `/processes/${processId}`, options));
  }

  /** Runs a command interactively: bytes both ways, terminal, signals, exit code. */
  openSession(command: string, options: SessionOptions = {}): Promise<ExecSession> {
    return ExecSession.open(this.connection, this.id, `${this.path}/exec/ws`, startMessage(command, options), options.signal);
  }

  /** Attaches to a process again and replays its output from an offset in bytes. */
  attach(processId: number, offset = 0, options: CallOptions = {}): Promise<ExecSession> {
    const first = { type: "attach", binary: true, process_id: processId, offset };
    return ExecSession.open(this.connection, this.id, `${this.path}/exec/ws`, first, options.signal);
  }

  /**
   * Writes a file: text as UTF-8, bytes, or a stream of any length. Parents are created; the file appears whole or not at all.
   * @param mode Default: that of the file that is replaced, `0644` for a new one.
   */
  async writeFile(path: string, content: FileContent, mode?: string, options: CallOptions = {}): Promise<void> {
    if (typeof content === "string" && content.length <= LARGEST_JSON_TEXT) {
      await this.post("/files", { path, content, ...(mode === undefined ? {} : { mode }) }, options);
      return;
    }
    await this.connection.call(
      this.request("PUT", "/files", {
        query: { path, mode },
        body: bodyOf(content),
        headers: { "Content-Type": "application/octet-stream" },
        slow: true,
        signal: options.signal,
      }),
    );
  }

  /** Reads a file as UTF-8 text. */
  async readFile(path: string, options: CallOptions = {}): Promise<string> {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await this.readFileBytes(path, options));
  }

  /** Reads a file, or a part of it. */
  async readFileBytes(path: string, options: ReadOptions = {}): Promise<Uint8Array> {
    return new Uint8Array(await new Response(await this.openRead(path, options)).arrayBuffer());
  }

  /** Opens a file, or a part of it, for reading as it comes. */
  async openRead(path: string, options: ReadOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const { offset = 0, length, signal } = options;
    const empty = new Blob([]).stream() as ReadableStream<Uint8Array>;
    if (length !== undefined && length <= 0) return empty;
    const isPart = offset > 0 || length !== undefined;
    const range = `bytes=${offset}-${length === undefined ? "" : offset + length - 1}`;
    // A part that begins behind the end of the file is empty.
    const part = isPart ? { headers: { Range: range }, accepted: 416 } : {};
    return (await this.connection.stream(this.request("GET", "/files", { query: { path }, ...part, signal }))) ?? empty;
  }

  /** Entries of a directory, sorted by name. */
  listFiles(path = "/", options: CallOptions = {}): Promise<FileInfo[]> {
    return this.get("/files/list", { path }, options);
  }

  async deleteFile(path: string, recursive = false, options: CallOptions = {}): Promise<void> {
    await this.connection.call(this.request("DELETE", "/files", { query: { path, recursive: recursive || undefined }, ...options }));
  }

  /** Moves a file or directory; parents of the new path are created. */
  async moveFile(oldPath: string, newPath: string, options: CallOptions = {}): Promise<void> {
    await this.post("/files/move", { old_path: oldPath, new_path: newPath }, options);
  }

  async chmodFile(path: string, mode: string, options: CallOptions = {}): Promise<void> {
    await this.post("/files/chmod", { path, mode }, options);
  }

  /** Makes a directory and its parents. One that is there already is not an error. */
  async makeDirectory(path: string, mode?: string, options: CallOptions = {}): Promise<void> {
    await this.post("/files/mkdir", { path, ...(mode === undefined ? {} : { mode }) }, options);
  }

  statFile(path: string, options: CallOptions = {}): Promise<FileInfo> {
    return this.get("/files/stat", { path }, options);
  }

  /** Absolute paths that match, sorted; `**` crosses directories. */
  async globFiles(pattern: string, options: CallOptions = {}): Promise<string[]> {
    return (await this.get<string[] | null>("/files/glob", { pattern }, options)) ?? [];
  }

  /** Lets it live for so long from now on; this replaces its expiry and may bring it nearer. */
  async extendTtl(ttl = "30m", options: CallOptions = {}): Promise<void> {
    this.current = await this.post("/extend", { ttl }, options);
  }

  /** Ends it with everything in it. Destroying twice is not an error. */
  async destroy(options: CallOptions = {}): Promise<void> {
    await this.connection.call(this.request("DELETE", "", { slow: true, ...options }));
    this.current = { ...this.current, state: "destroyed" };
  }

  /** Asks the server again. */
  async refresh(options: CallOptions = {}): Promise<this> {
    this.current = await this.get("", {}, options);
    return this;
  }

  /** Saves it under a name, unique among those of its owner. It stands still meanwhile and runs on afterwards. */
  checkpoint(name: string, options: CallOptions = {}): Promise<Checkpoint> {
    return this.post("/checkpoints", { name }, { slow: true, ...options });
  }

  /** Copies it. Each copy is a sandbox of its own; those that did not come are told with the reason. */
  async fork(options: ForkOptions = {}): Promise<{ sandboxes: Sandbox[]; failures: ForkFailure[] }> {
    const { signal, ...rest } = options;
    const answer = await this.post<{ sandboxes: SandboxInfo[]; failures?: ForkFailure[] }>("/fork", rest, { slow: true, signal });
    return { sandboxes: answer.sandboxes.map((info) => new Sandbox(this.connection, info)), failures: answer.failures ?? [] };
  }

  /** Lets it stand still until `resume`; its time to live runs on. Pausing twice is not an error. */
  async pause(options: CallOptions = {}): Promise<void> {
    this.current = await this.connection.call(this.request("POST", "/pause", options));
  }

  /** Lets it run again. */
  async resume(options: CallOptions = {}): Promise<void> {
    this.current = await this.connection.call(this.request("POST", "/resume", options));
  }

  /** The last lines of its console, oldest first. */
  logs(lines = 100, options: CallOptions = {}): Promise<string[]> {
    return this.get("/logs", { lines }, options);
  }

  /** What it uses now. */
  stats(options: CallOptions = {}): Promise<SandboxStats> {
    return this.get("/stats", {}, options);
  }

  /** TCP ports on which something listens now, with their previews. */
  ports(options: CallOptions = {}): Promise<PortInfo[]> {
    return this.get("/ports", {}, options);
  }

  /**
   * The URL under which a browser sees what the sandbox serves on a port.
   * @param scheme `http` or `https`. Default: what the server says, else `http`.
   */
  getPreviewUrl(port: number, scheme?: "http" | "https"): string {
    if (!Number.isInteger(port) || port < 1 || port > 65535) throw new RangeError(`${port} is not a port`);
    return `${scheme ?? this.current.preview_url_scheme ?? "http"}://${port}-${this.id}.${this.current.preview_domain || "localhost"}`;
  }

  toString(): string {
    return `Sandbox(id="${this.id}", state="${this.state}")`;
  }

  toJSON(): SandboxInfo {
    return this.info;
  }

  /** Destroys it. A failure is not thrown: its time to live ends it all the same. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.destroy();
    } catch (fault) {
      // Throwing here would hide the error that led here.
      if (!(fault instanceof StacyVMError)) throw fault;
    }
  }

  private get<T>(path: string, query: Call["query"] & object, options: CallOptions): Promise<T> {
    return this.connection.call(this.request("GET", path, { query, signal: options.signal }));
  }

  private post<T>(path: string, json: object, options: Partial<Call> & CallOptions): Promise<T> {
    return this.connection.call(this.request("POST", path, { json, ...options }));
  }

  private request(method: Call["method"], path: string, rest: Partial<Call>): Call {
    return { method, path: this.path + path, sandboxId: this.id, ...rest };
  }
}

function execBody(command: string, options: ExecOptions): object {
  const { signal: _, ...rest } = options;
  return { command, ...rest };
}

/** @internal */
export function bodyOf(content: FileContent): BodyInit {
  if (typeof content === "string" || content instanceof Blob || content instanceof ReadableStream || content instanceof ArrayBuffer || content instanceof Uint8Array)
    return content as BodyInit;
  const pieces = content[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await pieces.return?.();
    },
  });
}
