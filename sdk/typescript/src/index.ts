export { CheckpointManager } from "./checkpoints.js";
export { Client } from "./client.js";
export {
  ConnectionError,
  ExecTimeoutError,
  NotFoundError,
  ProviderError,
  ResourceLimitError,
  SandboxNotFoundError,
  StacyVMError,
  TimeoutError,
  handleResponse,
  type ApiErrorBody,
} from "./errors.js";
export { EventStream } from "./events.js";
export { ImageManager } from "./images.js";
export { QuotaManager } from "./quotas.js";
export { Sandbox } from "./sandbox.js";
export { ExecSession } from "./session.js";
export { ExecStream, parseNDJSON } from "./streaming.js";
export { TemplateManager } from "./templates.js";
export type * from "./types.js";
