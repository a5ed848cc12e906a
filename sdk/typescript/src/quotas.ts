import type { Connection } from "./connection.js";
import type { CallOptions, Quota, QuotaConfig, QuotaSummary, QuotaUsage } from "./types.js";

/** Limits of single owners. */
export class QuotaManager {
  /** @internal */
  constructor(private readonly connection: Connection) {}

  /** All of them, ordered by owner. */
  list(options: CallOptions = {}): Promise<Quota[]> {
    return this.connection.call({ method: "GET", path: "/quotas", ...options });
  }

  get(ownerId: string, options: CallOptions = {}): Promise<Quota> {
    return this.connection.call({ method: "GET", path: path(ownerId), ...options });
  }

  /** Sets the limits of an owner, in place of those that it had. */
  save(ownerId: string, config: QuotaConfig, options: CallOptions = {}): Promise<Quota> {
    return this.connection.call({ method: "PUT", path: path(ownerId), json: config, ...options });
  }

  async delete(ownerId: string, options: CallOptions = {}): Promise<void> {
    await this.connection.call({ method: "DELETE", path: path(ownerId), ...options });
  }

  /** What an owner uses, and the limits that hold for it. */
  usage(ownerId: string, options: CallOptions = {}): Promise<QuotaUsage> {
    return this.connection.call({ method: "GET", path: `${path(ownerId)}/usage`, ...options });
  }

  summary(options: CallOptions = {}): Promise<QuotaSummary> {
    return this.connection.call({ method: "GET", path: "/quotas/summary", ...options });
  }
}

function path(ownerId: string): string {
  return `/quotas/${encodeURIComponent(ownerId)}`;
}
