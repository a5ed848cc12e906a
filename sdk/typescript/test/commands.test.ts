import assert from "node:assert/strict";
import { ExecTimeoutError, NotFoundError, SandboxNotFoundError, type ExecSession, type StreamChunk } from "stacyvm";
import { eventually, failure, runs, sandboxed, scenario, spawn } from "./site.js";

sandboxed("exec_tells_output_and_exit_code", async (sandbox) => {
  const result = await sandbox.exec("echo out; echo err >&2; exit 3");
  assert.deepEqual([result.exit_code, result.stdout, result.stderr], [3, "out\n", "err\n"]);
  assert.ok(result.duration);
});

sandboxed("exec_argv_changes_no_argument", async (sandbox) => {
  const words = ["two words", "it's", '"$HOME"', "`id`", "a\nb", "🙂", "*"];
  const expected = words.map((word) => `<${word}>`).join("");
  assert.equal((await sandbox.exec("printf", { args: ["<%s>", ...words], mode: "argv" })).stdout, expected);
  assert.equal((await sandbox.exec("printf", { args: ["<%s>", ...words] })).stdout, expected);
});

sandboxed("exec_has_env_workdir_and_stdin", async (sandbox) => {
  const result = await sandbox.exec('echo "$GREETING in $(pwd): $(cat)"', { env: { GREETING: "grüezi" }, workdir: "/tmp", stdin: "from stdin" });
  assert.equal(result.stdout, "grüezi in /tmp: from stdin\n");
});

sandboxed("exec_timeout_is_its_own_error", async (sandbox) => {
  const begun = Date.now();
  const fault = await failure(ExecTimeoutError, sandbox.exec("sleep 60", { timeout: "300ms" }));
  assert.equal(fault.code, "TIMEOUT");
  assert.ok(fault.message.includes(sandbox.id) && Date.now() - begun < 20_000);
});

sandboxed("stream_comes_as_it_is_written", async (sandbox) => {
  const stream = sandbox.execStream("echo first; until [ -e go ]; do sleep 0.02; done; echo second >&2; exit 4");
  const seen: StreamChunk[] = [];
  for await (const chunk of stream) {
    if (seen.length === 0) await sandbox.writeFile("/workspace/go", "");
    seen.push(chunk);
  }
  assert.deepEqual(seen.map((chunk) => [chunk.stream, chunk.data]), [["stdout", "first\n"], ["stderr", "second\n"], ["stdout", ""]]);
  assert.equal(seen.at(-1)?.exit_code, 4);
  assert.equal(stream.exitCode, 4);
  assert.ok(stream.duration);
});

sandboxed("stream_timeout_is_an_error_after_the_output", async (sandbox) => {
  let seen = "";
  await failure(ExecTimeoutError, async () => {
    for await (const chunk of sandbox.execStream("echo begun; sleep 60", { timeout: "500ms" })) seen += chunk.data;
  });
  assert.ok(seen.startsWith("begun\n"));
});

scenario("stream_that_cannot_start_tells_why", async () => {
  const sandbox = await spawn();
  await sandbox.destroy();
  const fault = await failure(SandboxNotFoundError, sandbox.execStream("true").wait());
  assert.equal(fault.sandboxId, sandbox.id);
  assert.ok(!(fault instanceof NotFoundError));
});

sandboxed("abandoned_stream_ends_the_command", async (sandbox) => {
  for await (const _ of sandbox.execStream("while :; do echo abandoned; sleep 0.1; done")) {
    assert.ok(await runs(sandbox, "abandoned"));
    break;
  }
  await eventually(async () => !(await runs(sandbox, "abandoned")));
});

sandboxed("cancelled_exec_ends_the_command", async (sandbox) => {
  const cancel = new AbortController();
  const call = failure(Error, sandbox.exec("sleep 4321", { signal: cancel.signal }));
  await eventually(() => runs(sandbox, "sleep 4321"));
  cancel.abort();
  assert.equal((await call).name, "AbortError");
  await eventually(async () => !(await runs(sandbox, "sleep 4321")));
});

async function textOf(stream: AsyncIterable<StreamChunk>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk.data;
  return text;
}

sandboxed("background_process_runs_on_and_is_replayed", async (sandbox) => {
  const started = await sandbox.startBackground("echo one; until [ -e go ]; do sleep 0.02; done; echo two; exit 7");
  assert.ok(started.running);
  assert.ok((await sandbox.processes()).some((process) => process.process_id === started.process_id));
  await eventually(async () => (await sandbox.process(started.process_id)).output_bytes === 4);
  assert.equal(await textOf(sandbox.processOutput(started.process_id)), "one\n");
  await sandbox.writeFile("/workspace/go", "");
  const output = sandbox.processOutput(started.process_id, { follow: true });
  assert.equal(await textOf(output), "one\ntwo\n");
  assert.equal(output.exitCode, 7);
  assert.equal(await textOf(sandbox.processOutput(started.process_id, { offset: 4 })), "two\n");
  const ended = await sandbox.process(started.process_id);
  assert.deepEqual([ended.running, ended.exit_code], [false, 7]);
});

sandboxed("background_process_takes_signals", async (sandbox) => {
  const first = await sandbox.startBackground("trap 'exit 42' TERM; echo ready; while :; do sleep 0.05; done");
  const second = await sandbox.startBackground("sleep 600");
  for await (const _ of sandbox.processOutput(first.process_id, { follow: true })) break;
  await sandbox.signalProcess(first.process_id, "TERM");
  assert.equal(await sandbox.processOutput(first.process_id, { follow: true }).wait(), 42);
  await sandbox.killProcess(second.process_id);
  await sandbox.processOutput(second.process_id, { follow: true }).wait();
  assert.equal((await sandbox.process(second.process_id)).running, false);
  await failure(NotFoundError, sandbox.process(999_999));
});

async function readUntil(session: ExecSession, wanted: string): Promise<string> {
  let seen = "";
  while (!seen.includes(wanted)) {
    const output = await session.read(20_000);
    assert.ok(output !== null, `the session ended after ${JSON.stringify(seen)}`);
    seen += new TextDecoder().decode(output.data);
  }
  return seen;
}

async function bytesOf(session: ExecSession): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const output of session) parts.push(output.data);
  return Buffer.concat(parts);
}

sandboxed("terminal_has_size_input_and_signals", async (sandbox) => {
  const session = await sandbox.openSession("sh", { tty: true, cols: 100, rows: 30 });
  session.write("stty size\n");
  await readUntil(session, "30 100");
  session.resize(120, 40);
  session.write("stty size\n");
  await readUntil(session, "40 120");
  // The terminal shows what is typed: only what runs can print the words without the quotes.
  session.write(`sh -c "trap 'echo stop''ped; exit' INT; echo rea''dy; while :; do sleep 0.05; done"\n`);
  await readUntil(session, "ready");
  session.signal("INT");
  await readUntil(session, "stopped");
  session.write("exit 5\n");
  assert.equal(await session.wait(), 5);
  session.close();
});

sandboxed("session_carries_bytes_both_ways", async (sandbox) => {
  const session = await sandbox.openSession("cat", { mode: "argv" });
  const data = Buffer.alloc(256 * 40, Buffer.from(Array.from({ length: 256 }, (_, value) => value)));
  session.write(data);
  session.closeInput();
  assert.deepEqual(await bytesOf(session), data);
  assert.equal(session.exitCode, 0);
});

sandboxed("session_is_attached_to_again", async (sandbox) => {
  const session = await sandbox.openSession("echo one; until [ -e go ]; do sleep 0.02; done; echo two; exit 6", { background: true });
  assert.equal(await readUntil(session, "one\n"), "one\n");
  session.close();
  await sandbox.writeFile("/workspace/go", "");
  const again = await sandbox.attach(session.processId, session.offset);
  assert.equal((await bytesOf(again)).toString(), "two\n");
  assert.equal(again.exitCode, 6);
  assert.equal((await bytesOf(await sandbox.attach(session.processId))).toString(), "one\ntwo\n");
});

scenario("session_that_cannot_start_tells_why", async () => {
  const sandbox = await spawn();
  await sandbox.destroy();
  const fault = await failure(SandboxNotFoundError, sandbox.openSession("true"));
  assert.equal(fault.sandboxId, sandbox.id);
});
