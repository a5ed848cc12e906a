import "./dispose.js";
import type { Connection } from "./connection.js";
import { ConnectionError, StacyVMError } from "./errors.js";
import { lines } from "./streaming.js";
import type { EventFilter, StacyVMEvent } from "./types.js";

const LONGEST_PAUSE = 5000;

/**
 * Events as they happen. A broken connection is made again, and what happened meanwhile is delivered, as far as the server has it.
 * Iterating subscribes; {@link open} does it at once, so that nothing is missed from then on.
 */
export class EventStream implements AsyncIterableIterator<StacyVMEvent>, AsyncDisposable {
  /** Id of the newest event that was seen: `events({ afterId })` goes on from there. */
  lastId: string | undefined;
  private body: ReadableStream<Uint8Array> | null | undefined;
  private readonly events: AsyncGenerator<StacyVMEvent>;

  /** @internal */
  constructor(
    private readonly connection: Connection,
    private readonly filter: EventFilter,
  ) {
    this.lastId = filter.afterId;
    this.events = this.read();
  }

  /** Subscribes now. */
  async open(): Promise<this> {
    this.body ??= await this.subscribe();
    return this;
  }

  next(): Promise<IteratorResult<StacyVMEvent>> {
    return this.events.next();
  }

  async return(): Promise<IteratorResult<StacyVMEvent>> {
    const end = await this.events.return(undefined);
    if (this.body && !this.body.locked) await this.body.cancel();
    return end;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  private async *read(): AsyncGenerator<StacyVMEvent> {
    // Before the first answer an unreachable server is an error; later it is one that restarts.
    await this.open();
    for (let failures = 0; ; failures++) {
      try {
        this.body ??= await this.subscribe();
        for await (const event of parse(this.body)) {
          failures = 0;
          this.lastId = event.id;
          if (this.matches(event)) yield event;
        }
      } catch (fault) {
        if (this.filter.signal?.aborted || !isPassing(fault)) throw fault;
      }
      this.body = undefined;
      await new Promise((resolve) => setTimeout(resolve, Math.min(100 * 2 ** failures, LONGEST_PAUSE)));
    }
  }

  private async subscribe(): Promise<ReadableStream<Uint8Array>> {
    const body = await this.connection.stream({
      method: "GET",
      path: "/events",
      query: { type: this.filter.type, sandbox_id: this.filter.sandboxId },
      headers: { Accept: "text/event-stream", ...(this.lastId === undefined ? {} : { "Last-Event-ID": this.lastId }) },
      signal: this.filter.signal,
    });
    if (body === null) throw new ConnectionError(`${this.connection.baseUrl} answered the events with nothing; is it a StacyVM server?`);
    return body;
  }

  // A server without filters sends everything.
  private matches(event: StacyVMEvent): boolean {
    const { type, sandboxId } = this.filter;
    return (type === undefined || type === event.type) && (sandboxId === undefined || sandboxId === event.sandbox_id);
  }
}

function isPassing(fault: unknown): boolean {
  return fault instanceof ConnectionError || (fault instanceof StacyVMError && [429, 502, 503, 504].includes(fault.statusCode ?? 0));
}

async function* parse(body: ReadableStream<Uint8Array>): AsyncGenerator<StacyVMEvent> {
  let data: string[] = [];
  for await (const line of lines(body)) {
    const text = line.replace(/\r$/, "");
    if (text.startsWith("data:")) {
      data.push(text.slice(5).trimStart());
    } else if (text === "" && data.length > 0) {
      const json = data.join("\n");
      data = [];
      try {
        yield JSON.parse(json) as StacyVMEvent;
      } catch (fault) {
        if (!(fault instanceof SyntaxError)) throw fault;
      }
    }
  }
}
