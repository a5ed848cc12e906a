import "./dispose.js";
import type { Connection } from "./connection.js";
import { ConnectionError, TimeoutError, errorOf, type StacyVMError } from "./errors.js";
import { openSocket, type TextSocket } from "./socket.js";
import type { SessionOptions, SessionOutput } from "./types.js";

interface Message {
  type?: string;
  data?: string;
  data_base64?: string;
  process_id?: number;
  pid?: number;
  offset?: number;
  exit_code?: number;
  duration?: string;
  error?: string;
  code?: string;
}

/**
 * A running command and this program's hold on it: bytes both ways, terminal, signals, exit code. Closing the session kills the command with
 * all its children, unless it is a background one or was attached to.
 */
export class ExecSession implements AsyncIterable<SessionOutput>, AsyncDisposable {
  /** Number of the process, for `sandbox.attach`. */
  processId = 0;
  /** Process id inside the sandbox. */
  pid = 0;
  /** Bytes of output up to what was read last: where to attach again when the connection breaks. */
  offset = 0;
  /** How the command ended; undefined while its output has not been read to the end. */
  exitCode: number | undefined;
  duration: string | undefined;
  private socket: TextSocket | undefined;
  private readonly heard: Message[] = [];
  private closed = false;
  private fault: Error | undefined;
  private complaint: StacyVMError | undefined;
  private wake: () => void = () => undefined;

  private constructor(private readonly sandboxId: string) {}

  /** @internal */
  static async open(connection: Connection, sandboxId: string, path: string, first: object, signal?: AbortSignal): Promise<ExecSession> {
    const session = new ExecSession(sandboxId);
    // Not every WebSocket can carry headers: a ticket stands for them.
    const { ticket } = await connection.call<{ ticket: string }>({ method: "POST", path: "/tickets", sandboxId, signal });
    const url = `${connection.baseUrl.replace(/^http/, "ws")}/api/v1${path}?ticket=${encodeURIComponent(ticket)}`;
    session.socket = await openSocket(url, {
      message: (text) => session.hear(JSON.parse(text) as Message),
      closed: (fault) => session.hangUp(fault),
    });
    try {
      session.say(first);
      await session.begin();
      return session;
    } catch (fault) {
      session.close();
      throw fault;
    }
  }

  /**
   * The next piece of output; null when the command has ended and {@link exitCode} is set.
   * @param timeout Milliseconds to wait for it; {@link TimeoutError} when nothing came, and reading can go on.
   */
  async read(timeout?: number): Promise<SessionOutput | null> {
    while (this.exitCode === undefined) {
      const message = this.heard.shift();
      if (message === undefined) {
        await this.more(timeout);
        continue;
      }
      switch (message.type) {
        case "stdout":
        case "stderr": {
          const data = message.data_base64 === undefined ? new TextEncoder().encode(message.data ?? "") : fromBase64(message.data_base64);
          this.offset = message.offset ?? this.offset + data.length;
          return { stream: message.type, data };
        }
        case "exit":
          this.exitCode = message.exit_code ?? 0;
          this.duration = message.duration;
          if (message.code) throw this.failure(message);
          break;
        case "error":
          // The server may complain about one message, such as a signal that came too late, and go on.
          this.complaint = this.failure(message);
          break;
      }
    }
    return null;
  }

  /** Feeds stdin; text as UTF-8. */
  write(data: string | Uint8Array): void {
    this.say(typeof data === "string" ? { type: "stdin", data } : { type: "stdin", data_base64: toBase64(data) });
  }

  /** End of stdin. */
  closeInput(): void {
    this.say({ type: "eof" });
  }

  /** New size of the terminal. */
  resize(cols: number, rows: number): void {
    this.say({ type: "resize", cols, rows });
  }

  /** `SIGINT`, `INT` or a number: to the foreground of a terminal, else to the command's process group. */
  signal(signal: string | number): void {
    this.say({ type: "signal", signal: String(signal) });
  }

  /** Reads and drops what is still to come; the exit code. */
  async wait(): Promise<number> {
    while ((await this.read()) !== null);
    return this.exitCode!;
  }

  close(): void {
    this.socket?.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SessionOutput> {
    for (let output = await this.read(); output !== null; output = await this.read()) yield output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  private async begin(): Promise<void> {
    while (this.heard.length === 0) await this.more(undefined);
    const message = this.heard.shift()!;
    if (message.type !== "started") throw this.failure(message);
    this.processId = message.process_id ?? 0;
    this.pid = message.pid ?? 0;
    this.offset = message.offset ?? 0;
  }

  private say(message: object): void {
    if (this.closed) throw this.endedEarly();
    this.socket!.send(JSON.stringify(message));
  }

  private hear(message: Message): void {
    this.heard.push(message);
    this.wake();
  }

  private hangUp(fault?: Error): void {
    this.closed = true;
    this.fault = fault;
    this.wake();
  }

  private async more(timeout: number | undefined): Promise<void> {
    if (this.closed) throw this.endedEarly();
    await new Promise<void>((resolve, reject) => {
      const timer = timeout === undefined ? undefined : setTimeout(() => reject(new TimeoutError(`nothing came from the session in ${this.sandboxId} within ${timeout} ms`)), timeout);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private failure(message: Message): StacyVMError {
    return errorOf(undefined, message.code, message.error ?? "the session failed", this.sandboxId);
  }

  private endedEarly(): StacyVMError {
    return (
      this.complaint ??
      new ConnectionError(
        `the session in ${this.sandboxId} was closed before its command ended; what runs in the background can be attached to: attach(${this.processId}, ${this.offset})`,
        { cause: this.fault },
      )
    );
  }
}

/** @internal */
export function startMessage(command: string, options: SessionOptions): object {
  const { signal: _, tty, cols, rows, ...rest } = options;
  return { type: "start", binary: true, command, ...rest, ...(tty ? { tty, cols: cols ?? 80, rows: rows ?? 24 } : {}) };
}

function toBase64(data: Uint8Array): string {
  let text = "";
  for (let start = 0; start < data.length; start += 8192) text += String.fromCharCode(...data.subarray(start, start + 8192));
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
