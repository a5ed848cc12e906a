import assert from "node:assert/strict";
import { NotFoundError, StacyVMError } from "stacyvm";
import { client, clientOf, failure, scenario, site, spawn } from "./site.js";

function unique(): string {
  return `scenario-${Math.random().toString(36).slice(2, 10)}${Date.now().toString(36)}`;
}

scenario("checkpoints_carry_files_to_new_sandboxes", async () => {
  const name = unique();
  const parent = await spawn({ metadata: { task: "7" } });
  await parent.writeFile("/workspace/kept.txt", "kept");
  const made = await parent.checkpoint(name);
  assert.deepEqual([made.name, made.state, made.provider, made.sandbox_id], [name, "ready", site.level, parent.id]);
  assert.ok((await client.checkpoints.list()).some((one) => one.name === name));
  assert.equal((await client.checkpoints.get(name)).id, made.id);
  assert.equal((await failure(StacyVMError, parent.checkpoint(name))).code, "CONFLICT");
  const child = await client.spawn({ checkpoint: name, ttl: "5m" });
  assert.equal(await child.readFile("/workspace/kept.txt"), "kept");
  assert.deepEqual([child.info.checkpoint, child.info.parent_sandbox, child.info.metadata?.["task"]], [name, parent.id, "7"]);
  await client.checkpoints.delete(name);
  assert.equal((await child.exec("cat kept.txt")).stdout, "kept");
  await failure(NotFoundError, client.checkpoints.get(name));
  await child.destroy();
  await parent.destroy();
});

scenario("forks_begin_alike_and_go_apart", async () => {
  const parent = await spawn();
  await parent.writeFile("/workspace/shared.txt", "same");
  const { sandboxes, failures } = await parent.fork({ count: 2, ttl: "5m", metadata: { of: "fork" } });
  assert.deepEqual([new Set([parent.id, ...sandboxes.map((copy) => copy.id)]).size, failures], [3, []]);
  for (const copy of sandboxes) {
    assert.equal(await copy.readFile("/workspace/shared.txt"), "same");
    assert.deepEqual([copy.info.parent_sandbox, copy.info.metadata?.["of"]], [parent.id, "fork"]);
    await copy.writeFile("/workspace/shared.txt", copy.id);
  }
  for (const copy of sandboxes) {
    assert.equal(await copy.readFile("/workspace/shared.txt"), copy.id);
    await copy.destroy();
  }
  assert.equal(await parent.readFile("/workspace/shared.txt"), "same");
  await parent.destroy();
});

scenario("paused_sandboxes_stand_still", async () => {
  const sandbox = await spawn();
  await sandbox.pause();
  assert.equal(sandbox.state, "paused");
  const refused = await failure(StacyVMError, sandbox.exec("true"));
  assert.equal(refused.code, "CONFLICT");
  assert.match(refused.message, /resume/);
  await sandbox.resume();
  assert.equal(sandbox.state, "running");
  assert.equal((await sandbox.exec("echo on")).stdout, "on\n");
  await sandbox.destroy();
});

scenario("images_are_imported_and_removed", async () => {
  const name = `${unique()}:1`;
  const admin = clientOf({ adminApiKey: site.adminKey });
  const imported = await admin.images.importArchive(archiveOf("etc/motd", name), { name });
  assert.deepEqual(imported.map((image) => image.names), [[name]]);
  assert.ok((await admin.images.list()).some((image) => image.names.includes(name)));
  const image = await admin.images.get(name);
  assert.deepEqual([image.digest, image.layers], [imported[0]?.digest, 1]);
  assert.equal((await failure(StacyVMError, admin.images.pull("127.0.0.1:1/not/there:1"))).code, "BAD_REQUEST");
  assert.ok((await admin.images.prune({ unnamed: true })).freed_bytes >= 0);
  await admin.images.remove(name);
  await failure(NotFoundError, admin.images.get(name));
});

/** A tar of one file. */
function archiveOf(path: string, content: string): Uint8Array {
  const archive = new Uint8Array(512 * 4);
  const put = (at: number, text: string): void => archive.set(new TextEncoder().encode(text), at);
  put(0, path);
  put(100, "0000644\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, `${content.length.toString(8).padStart(11, "0")}\0`);
  put(136, "00000000000\0");
  put(148, "        0");
  put(257, "ustar\x0000");
  const sum = archive.slice(0, 512).reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  put(512, content);
  return archive;
}
