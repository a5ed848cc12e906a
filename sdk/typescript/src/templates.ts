import type { Connection } from "./connection.js";
import { StacyVMError } from "./errors.js";
import { Sandbox } from "./sandbox.js";
import type { CallOptions, SandboxInfo, Template, TemplateConfig, TemplateSpawnOverrides } from "./types.js";

/** Sandboxes with a name. */
export class TemplateManager {
  /** @internal */
  constructor(private readonly connection: Connection) {}

  /** All of them, ordered by name. */
  list(options: CallOptions = {}): Promise<Template[]> {
    return this.connection.call({ method: "GET", path: "/templates", ...options });
  }

  get(name: string, options: CallOptions = {}): Promise<Template> {
    return this.connection.call({ method: "GET", path: path(name), ...options });
  }

  /**
   * Creates a template.
   * @param options `overwrite` replaces the one that has the name already; without it that is an error of code `CONFLICT`.
   */
  async save(config: TemplateConfig, options: { overwrite?: boolean } & CallOptions = {}): Promise<Template> {
    const { overwrite, ...call } = options;
    try {
      return await this.connection.call<Template>({ method: "POST", path: "/templates", json: config, ...call });
    } catch (fault) {
      if (!overwrite || !(fault instanceof StacyVMError) || fault.statusCode !== 409) throw fault;
    }
    return this.connection.call({ method: "PUT", path: path(config.name), json: config, ...call });
  }

  async delete(name: string, options: CallOptions = {}): Promise<void> {
    await this.connection.call({ method: "DELETE", path: path(name), ...options });
  }

  /** Starts a sandbox from a template. */
  async spawn(name: string, overrides: TemplateSpawnOverrides = {}): Promise<Sandbox> {
    const { signal, ...json } = overrides;
    const info = await this.connection.call<SandboxInfo>({ method: "POST", path: `${path(name)}/spawn`, json, slow: true, signal });
    return new Sandbox(this.connection, info);
  }
}

function path(name: string): string {
  return `/templates/${encodeURIComponent(name)}`;
}
