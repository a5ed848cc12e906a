import assert from "node:assert/strict";
import test from "node:test";
import { Client, type Sandbox, type SpawnOptions, type StacyVMClientConfig } from "stacyvm";

/** The server that scripts/test-sdks has started. */
export const site = {
  url: process.env["STACYVM_TEST_URL"] ?? "",
  key: process.env["STACYVM_TEST_KEY"] ?? "",
  adminKey: process.env["STACYVM_TEST_ADMIN_KEY"] ?? "",
  level: process.env["STACYVM_TEST_LEVEL"] ?? "bubblewrap",
  image: process.env["STACYVM_TEST_IMAGE"] ?? "alpine:latest",
};

export function clientOf(config: StacyVMClientConfig = {}): Client {
  return new Client({ baseUrl: site.url, apiKey: site.key, ...config });
}

export const client = clientOf();

export function spawn(options: SpawnOptions = {}, by = client): Promise<Sandbox> {
  return by.spawn({ image: site.image, ttl: "5m", ...options });
}

/** A test of the list in sdk/scenarios.json. */
export function scenario(name: string, body: () => Promise<void>): void {
  test(name, { timeout: 60_000 }, body);
}

/** As `scenario`, with a sandbox of its own. */
export function sandboxed(name: string, body: (sandbox: Sandbox) => Promise<void>): void {
  scenario(name, () => client.withSandbox({ image: site.image, ttl: "5m" }, body));
}

/** Asks again and again until it holds. */
export async function eventually(condition: () => Promise<boolean>, within = 20_000): Promise<void> {
  const end = Date.now() + within;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `it did not come true within ${within} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

type Kind = abstract new (...parameters: never[]) => Error;

/** The error that a call fails with, which has to be of a kind. */
export async function failure<K extends Kind>(kind: K, call: Promise<unknown> | (() => Promise<unknown>)): Promise<InstanceType<K>> {
  try {
    await (typeof call === "function" ? call() : call);
  } catch (fault) {
    assert.ok(fault instanceof kind, `expected ${kind.name}, got ${String(fault)}`);
    return fault as InstanceType<K>;
  }
  return assert.fail(`expected ${kind.name}, and nothing was thrown`);
}

/** Whether a command with these words runs in the sandbox. */
export async function runs(sandbox: Sandbox, marker: string): Promise<boolean> {
  const pattern = `${marker[0]}[${marker[1]}]${marker.slice(2)}`;
  const script = `for f in /proc/[0-9]*/cmdline; do tr "\\0" " " <$f 2>/dev/null; echo; done | grep -v grep | grep -c "${pattern}"`;
  return (await sandbox.exec(script)).stdout.trim() !== "0";
}
