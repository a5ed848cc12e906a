import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { NotFoundError, StacyVMError } from "stacyvm";
import { client, failure, sandboxed, scenario, spawn } from "./site.js";

sandboxed("text_files_come_back_unchanged", async (sandbox) => {
  const text = 'Grüße, 世界, 🙂\n\ttab and \\ and "quotes"\n';
  await sandbox.writeFile("/workspace/new/deep/näme.txt", text);
  assert.equal(await sandbox.readFile("/workspace/new/deep/näme.txt"), text);
  await sandbox.writeFile("/workspace/run.sh", "echo hi", "0755");
  assert.equal((await sandbox.statFile("/workspace/run.sh")).mode, "0755");
  assert.equal((await sandbox.exec("./run.sh")).stdout, "hi\n");
});

sandboxed("bytes_come_back_unchanged", async (sandbox) => {
  const data = Uint8Array.from({ length: 768 }, (_, index) => index % 256);
  await sandbox.writeFile("/workspace/data.bin", data);
  assert.deepEqual(await sandbox.readFileBytes("/workspace/data.bin"), data);
  assert.deepEqual(await sandbox.readFileBytes("/workspace/data.bin", { offset: 250, length: 12 }), data.slice(250, 262));
  assert.deepEqual(await sandbox.readFileBytes("/workspace/data.bin", { offset: 250 }), data.slice(250));
  assert.equal((await sandbox.readFileBytes("/workspace/data.bin", { offset: 10_000, length: 5 })).length, 0);
});

sandboxed("large_files_are_streamed", async (sandbox) => {
  const sent = createHash("sha256");
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let number = 0; number < 24; number++) {
      const piece = new Uint8Array(1024 * 1024).fill(number);
      sent.update(piece);
      yield piece;
    }
  }
  await sandbox.writeFile("/workspace/large.bin", pieces());
  const inside = (await sandbox.exec("sha256sum large.bin")).stdout.split(" ")[0];
  const received = createHash("sha256");
  let size = 0;
  for await (const piece of await sandbox.openRead("/workspace/large.bin")) {
    received.update(piece);
    size += piece.length;
  }
  assert.equal(size, 24 * 1024 * 1024);
  assert.equal(inside, sent.digest("hex"));
  assert.equal(inside, received.digest("hex"));
});

sandboxed("missing_file_is_not_found", async (sandbox) => {
  const path = "/workspace/missing";
  const calls = [
    () => sandbox.readFile(path),
    () => sandbox.readFileBytes(path),
    () => sandbox.statFile(path),
    () => sandbox.listFiles(path),
    () => sandbox.deleteFile(path),
  ];
  for (const call of calls) {
    const fault = await failure(NotFoundError, call);
    assert.equal(fault.code, "NOT_FOUND");
    assert.ok(fault.message.includes(path));
  }
});

sandboxed("directories_are_listed_and_searched", async (sandbox) => {
  await sandbox.makeDirectory("/workspace/tree/sub");
  await sandbox.writeFile("/workspace/tree/b.txt", "12345");
  await sandbox.writeFile("/workspace/tree/sub/a.txt", "");
  const entries = await sandbox.listFiles("/workspace/tree");
  assert.deepEqual(entries.map((entry) => [entry.name, entry.path, entry.is_dir]), [["b.txt", "/workspace/tree/b.txt", false], ["sub", "/workspace/tree/sub", true]]);
  assert.deepEqual([entries[0]?.size, entries[0]?.type, entries[0]?.mode], [5, "file", "0644"]);
  assert.ok((await sandbox.statFile("/workspace/tree")).is_dir);
  assert.deepEqual((await sandbox.globFiles("/workspace/tree/**/*.txt")).sort(), ["/workspace/tree/b.txt", "/workspace/tree/sub/a.txt"]);
  assert.deepEqual(await sandbox.globFiles("/workspace/tree/*.none"), []);
});

sandboxed("files_are_moved_changed_and_deleted", async (sandbox) => {
  await sandbox.writeFile("/workspace/old.txt", "x");
  await sandbox.moveFile("/workspace/old.txt", "/workspace/there/new.txt");
  await sandbox.chmodFile("/workspace/there/new.txt", "600");
  assert.equal((await sandbox.statFile("/workspace/there/new.txt")).mode, "0600");
  const fault = await failure(StacyVMError, sandbox.deleteFile("/workspace/there"));
  assert.deepEqual([fault.code, fault.statusCode], ["CONFLICT", 409]);
  await sandbox.deleteFile("/workspace/there/new.txt");
  await sandbox.writeFile("/workspace/there/again.txt", "x");
  await sandbox.deleteFile("/workspace/there", true);
  for (const path of ["/workspace/old.txt", "/workspace/there"]) await failure(NotFoundError, sandbox.statFile(path));
});

scenario("many_sandboxes_at_once", async () => {
  const one = async (number: number): Promise<string> => {
    const sandbox = await spawn();
    try {
      assert.equal((await sandbox.exec(`echo ${number}`)).stdout, `${number}\n`);
      await sandbox.writeFile("/workspace/number", String(number));
      assert.equal(await sandbox.readFile("/workspace/number"), String(number));
      return sandbox.id;
    } finally {
      await sandbox.destroy();
    }
  };
  const ids = new Set(await Promise.all(Array.from({ length: 8 }, (_, number) => one(number))));
  assert.equal(ids.size, 8);
  assert.ok(!(await client.list()).some((info) => ids.has(info.id)));
});
