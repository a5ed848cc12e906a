import "./dispose.js";
import type { Call, Connection } from "./connection.js";
import { errorOf, type StacyVMError } from "./errors.js";
import type { StreamChunk } from "./types.js";

/** Chunks of a body of JSON lines. Lines that are blank, or no JSON, are skipped. */
export async function* parseNDJSON(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamChunk> {
  for await (const line of lines(body)) {
    const chunk = parse(line.trim());
    if (chunk !== undefined) yield chunk;
  }
}

/** Lines of a body as they come; leaving the loop cancels it. */
export async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let ended = false;
  try {
    while (!ended) {
      const { done, value } = await reader.read();
      ended = done;
      rest += value === undefined ? decoder.decode() : decoder.decode(value, { stream: true });
      const parts = rest.split("\n");
      rest = parts.pop()!;
      yield* parts;
    }
    if (rest !== "") yield rest;
  } finally {
    if (!ended) await reader.cancel().catch(() => undefined);
  }
}

function parse(line: string): StreamChunk | undefined {
  if (line === "") return undefined;
  try {
    const value = JSON.parse(line) as Partial<StreamChunk> | null;
    return typeof value === "object" && value !== null ? { ...value, stream: value.stream || "stdout", data: value.data ?? "" } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The output of a command. The request is made when the first chunk is asked for; leaving the loop kills the command with all its children.
 */
export class ExecStream implements AsyncIterableIterator<StreamChunk>, AsyncDisposable {
  /** Known when the stream has been read to its end; undefined when the server did not say. */
  exitCode: number | undefined;
  /** Duration text, known at the end. */
  duration: string | undefined;
  private readonly chunks: AsyncGenerator<StreamChunk>;
  private lastWords = "";

  /** @internal */
  constructor(connection: Connection, call: Call) {
    this.chunks = this.read(connection, call);
  }

  next(): Promise<IteratorResult<StreamChunk>> {
    return this.chunks.next();
  }

  return(): Promise<IteratorResult<StreamChunk>> {
    return this.chunks.return(undefined);
  }

  throw(fault?: unknown): Promise<IteratorResult<StreamChunk>> {
    return this.chunks.throw(fault);
  }

  /** Reads and drops what is still to come; the exit code. */
  async wait(): Promise<number | undefined> {
    while (!(await this.next()).done);
    return this.exitCode;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  private async *read(connection: Connection, call: Call): AsyncGenerator<StreamChunk> {
    const body = await connection.stream(call);
    if (body === null) return;
    for await (const chunk of parseNDJSON(body)) {
      const fault = this.note(chunk, call.sandboxId);
      yield chunk;
      if (fault !== undefined) throw fault;
    }
  }

  private note(chunk: StreamChunk, sandboxId: string | undefined): StacyVMError | undefined {
    if (chunk.exit_code !== undefined) {
      this.exitCode = chunk.exit_code;
      this.duration = chunk.duration;
    }
    if (chunk.code) return errorOf(undefined, chunk.code, this.lastWords.trim() || `the command in ${sandboxId} was ended`, sandboxId);
    if (chunk.stream === "stderr") this.lastWords = chunk.data;
    return undefined;
  }
}
