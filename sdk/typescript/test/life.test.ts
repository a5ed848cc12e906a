import assert from "node:assert/strict";
import { get } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import {
  ConnectionError,
  NotFoundError,
  ProviderError,
  ResourceLimitError,
  SandboxNotFoundError,
  StacyVMError,
  TimeoutError,
  type StacyVMEvent,
} from "stacyvm";
import { client, clientOf, eventually, failure, sandboxed, scenario, site, spawn } from "./site.js";

scenario("health_tells_the_version", async () => {
  const health = await client.health();
  assert.equal(health.status, "ok");
  assert.ok(health.version && health.uptime);
  assert.equal((await client.ready()).status, "ready");
  assert.ok((await client.providers()).some((provider) => provider.name === site.level && provider.healthy));
});

scenario("spawn_runs_until_destroyed", async () => {
  const sandbox = await spawn();
  assert.deepEqual([sandbox.state, sandbox.provider], ["running", site.level]);
  assert.ok((await client.list()).some((info) => info.id === sandbox.id));
  assert.equal((await client.get(sandbox.id)).id, sandbox.id);
  await sandbox.destroy();
  assert.equal(sandbox.state, "destroyed");
  assert.ok(!(await client.list()).some((info) => info.id === sandbox.id));
});

scenario("spawn_carries_owner_and_metadata", async () => {
  const sandbox = await spawn({ memory_mb: 256, vcpus: 1, metadata: { task: "7" } }, clientOf({ userId: "ada" }));
  await sandbox.refresh();
  assert.deepEqual([sandbox.info.owner_id, sandbox.memoryMb, sandbox.vcpus, sandbox.info.metadata], ["ada", 256, 1, { task: "7" }]);
  await sandbox.destroy();
});

scenario("scope_destroys_even_after_a_failure", async () => {
  let id = "";
  const fault = await failure(RangeError, client.withSandbox({ image: site.image }, (sandbox) => {
    id = sandbox.id;
    throw new RangeError("inside");
  }));
  assert.equal(fault.message, "inside");
  await failure(SandboxNotFoundError, client.get(id));
  const second = await spawn();
  await second[Symbol.asyncDispose]();
  await failure(SandboxNotFoundError, client.get(second.id));
});

sandboxed("extend_moves_the_expiry", async (sandbox) => {
  await sandbox.extendTtl("2h");
  for (let time = 0; time < 2; time++) {
    const minutes = (Date.parse(sandbox.info.expires_at) - Date.now()) / 60_000;
    assert.ok(minutes > 118 && minutes < 121, `${minutes} minutes`);
    await sandbox.refresh();
  }
});

scenario("expired_sandbox_is_not_found", async () => {
  const sandbox = await spawn({ ttl: "1s" });
  await eventually(() =>
    client.get(sandbox.id).then(
      () => false,
      (fault: unknown) => fault instanceof SandboxNotFoundError && fault.sandboxId === sandbox.id,
    ),
  );
});

scenario("destroyed_sandbox_is_not_found", async () => {
  const sandbox = await spawn();
  await sandbox.destroy();
  await sandbox.destroy();
  for (const call of [() => sandbox.exec("true"), () => sandbox.refresh(), () => sandbox.readFile("/etc/passwd"), () => sandbox.extendTtl(), () => client.get(sandbox.id)]) {
    const fault = await failure(SandboxNotFoundError, call);
    assert.deepEqual([fault.sandboxId, fault.code, fault.statusCode], [sandbox.id, "NOT_FOUND", 404]);
    assert.ok(!(fault instanceof NotFoundError));
  }
});

sandboxed("preview_shows_what_the_sandbox_serves", async (sandbox) => {
  await sandbox.writeFile("/workspace/site/index.html", "<h1>hello</h1>");
  await sandbox.startBackground("busybox httpd -f -p 8000 -h /workspace/site");
  await eventually(async () => (await sandbox.ports()).some((port) => port.port === 8000));
  const url = new URL(sandbox.getPreviewUrl(8000));
  assert.ok(url.href.startsWith(`http://8000-${sandbox.id}.`));
  // The server's own address under the preview's name: no DNS is needed.
  const page = await new Promise<string>((resolve, reject) => {
    get(site.url, { headers: { Host: url.host } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part)).on("end", () => resolve(text));
    }).on("error", reject);
  });
  assert.equal(page, "<h1>hello</h1>");
  assert.ok(sandbox.getPreviewUrl(8000, "https").startsWith("https://8000-"));
});

sandboxed("errors_carry_code_status_and_text", async (sandbox) => {
  const bad = await failure(StacyVMError, spawn({ ttl: "soon" }));
  assert.deepEqual([bad.code, bad.statusCode], ["BAD_REQUEST", 400]);
  assert.ok(bad.message.includes("soon") && bad.requestId);
  const missing = await failure(NotFoundError, spawn({ provider: "nosuch" }));
  assert.deepEqual([missing.code, missing.statusCode], ["NOT_FOUND", 404]);
  assert.ok(missing.message.includes("nosuch"));
  const limit = await failure(ResourceLimitError, sandbox.exec("true", { timeout: "1000h" }));
  assert.deepEqual([limit.code, limit.statusCode], ["RESOURCE_LIMIT", 429]);
  const refused = await failure(StacyVMError, clientOf({ apiKey: "wrong" }).list());
  assert.deepEqual([refused.code, refused.statusCode], ["UNAUTHORIZED", 401]);
  assert.ok(![ProviderError, ConnectionError, SandboxNotFoundError].some((kind) => refused instanceof kind));
});

/** A port of this machine: one where nothing listens, or one that accepts and never answers. */
async function port(silent: boolean): Promise<{ url: string; close: () => void }> {
  const server = createServer((socket) => void socket.on("error", () => undefined));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  if (!silent) await new Promise((resolve) => server.close(resolve));
  return { url, close: () => server.close() };
}

scenario("unreachable_server_is_a_connection_error", async () => {
  const { url } = await port(false);
  const lost = clientOf({ baseUrl: url });
  const sandbox = lost.refer("sb-00000000");
  const calls = [
    () => lost.list(),
    () => lost.health(),
    () => lost.spawn(),
    () => lost.templates.list(),
    () => sandbox.exec("true"),
    () => sandbox.readFile("/x"),
    () => sandbox.writeFile("/x", new Uint8Array(1)),
    () => sandbox.execStream("true").wait(),
    () => sandbox.openSession("true"),
    () => lost.events().next(),
  ];
  for (const call of calls) {
    const fault = await failure(ConnectionError, call);
    assert.ok(fault.message.includes(url), fault.message);
    assert.equal(fault.code, "CONNECTION_ERROR");
  }
});

scenario("silent_server_is_a_timeout_error", async () => {
  const silent = await port(true);
  const lost = clientOf({ baseUrl: silent.url, timeout: 300 });
  for (const call of [() => lost.list(), () => lost.spawn(), () => lost.get("sb-00000000"), () => lost.templates.list(), () => lost.refer("sb-00000000").statFile("/x")])
    assert.ok((await failure(TimeoutError, call)) instanceof ConnectionError);
  silent.close();
});

scenario("admission_decides_without_spawning", async () => {
  const before = (await client.list()).length;
  const allowed = await client.admission({ ttl: "10m" });
  assert.ok(allowed.allowed && !allowed.reason);
  const refused = await client.admission({ ttl: "9000h" });
  assert.deepEqual([refused.allowed, refused.reason], [false, "max_ttl"]);
  assert.ok((await client.list()).length <= before + 1);
});

scenario("quotas_bound_an_owner", async () => {
  const owner = "owner-typescript";
  const admin = clientOf({ adminApiKey: site.adminKey });
  const bounded = clientOf({ userId: owner });
  const before = await admin.quotaSummary();
  try {
    const saved = await admin.quotas.save(owner, { max_sandboxes: 1, max_ttl: "1h" });
    assert.deepEqual([saved.owner_id, saved.max_sandboxes, saved.max_ttl], [owner, 1, "1h0m0s"]);
    assert.equal((await admin.quotaSummary()).total, before.total + 1);
    assert.ok((await admin.quotas.list()).some((quota) => quota.owner_id === owner));
    const sandbox = await spawn({}, bounded);
    assert.equal((await failure(ResourceLimitError, spawn({}, bounded))).code, "RESOURCE_LIMIT");
    const usage = await admin.quotas.usage(owner);
    assert.deepEqual([usage.active_sandboxes, usage.max_sandboxes, usage.quota_configured], [1, 1, true]);
    await sandbox.destroy();
  } finally {
    await admin.quotas.delete(owner);
  }
  await failure(NotFoundError, admin.quotas.get(owner));
});

scenario("templates_are_saved_and_spawned", async () => {
  const admin = clientOf({ adminApiKey: site.adminKey });
  const name = "typescript/a 1";
  const template = { name, image: site.image, memory_mb: 256, vcpus: 1, ttl: "10m", metadata: { team: "a" }, env: { COLOR: "blue" } };
  try {
    await admin.templates.save(template);
    const saved = await admin.templates.get(name);
    assert.deepEqual([saved.image, saved.memory_mb, saved.vcpus, saved.metadata], [site.image, 256, 1, { team: "a" }]);
    assert.ok((await admin.templates.list()).some((one) => one.name === name));
    assert.equal((await failure(StacyVMError, admin.templates.save(template))).code, "CONFLICT");
    await admin.templates.save({ ...template, memory_mb: 300 }, { overwrite: true });
    const sandbox = await admin.templates.spawn(name, { ttl: "5m" });
    assert.deepEqual([sandbox.info.metadata?.["template"], sandbox.memoryMb], [name, 300]);
    assert.equal((await sandbox.exec("echo $COLOR")).stdout, "blue\n");
    await sandbox.destroy();
  } finally {
    await admin.templates.delete(name);
  }
  await failure(NotFoundError, admin.templates.get(name));
});

scenario("events_are_delivered_and_resumed", async () => {
  const events = await client.events().open();
  const sandbox = await spawn();
  await sandbox.destroy();
  const seen: StacyVMEvent[] = [];
  for await (const event of events) {
    if (event.sandbox_id === sandbox.id) seen.push(event);
    if (event.sandbox_id === sandbox.id && event.type === "sandbox.destroyed") break;
  }
  assert.deepEqual(seen.map((event) => event.type), ["sandbox.created", "sandbox.running", "sandbox.destroyed"]);
  const again: string[] = [];
  for await (const event of client.events({ sandboxId: sandbox.id, afterId: seen[0]!.id })) {
    again.push(event.type);
    if (again.length === 2) break;
  }
  assert.deepEqual(again, ["sandbox.running", "sandbox.destroyed"]);
});

sandboxed("stats_logs_and_pool_answer", async (sandbox) => {
  const stats = await sandbox.stats();
  assert.ok(stats.supported && stats.mem_bytes && stats.mem_limit_bytes);
  assert.ok(Array.isArray(await sandbox.logs(10)));
  assert.equal(typeof (await client.poolStatus()).enabled, "boolean");
  assert.equal(typeof (await client.prune()), "number");
});
