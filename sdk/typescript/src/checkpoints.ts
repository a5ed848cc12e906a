import type { Connection } from "./connection.js";
import type { CallOptions, Checkpoint } from "./types.js";

/** What has been saved of sandboxes: `sandbox.checkpoint(name)` makes one, `client.spawn({ checkpoint: name })` starts a sandbox from it. */
export class CheckpointManager {
  /** @internal */
  constructor(private readonly connection: Connection) {}

  /** All that the caller may see, newest first. */
  list(options: CallOptions = {}): Promise<Checkpoint[]> {
    return this.connection.call({ method: "GET", path: "/checkpoints", ...options });
  }

  /** One by its name or id. */
  get(name: string, options: CallOptions = {}): Promise<Checkpoint> {
    return this.connection.call({ method: "GET", path: path(name), ...options });
  }

  /** Deletes one. Sandboxes that were started from it live on. */
  async delete(name: string, options: CallOptions = {}): Promise<void> {
    await this.connection.call({ method: "DELETE", path: path(name), slow: true, ...options });
  }
}

function path(name: string): string {
  return `/checkpoints/${encodeURIComponent(name)}`;
}
