// An agent loop: a model writes code, a sandbox runs it, and what it printed goes back to the model until the task is done.
//
// ScriptedModel stands in for a language model: it answers from a list, the first time with a mistake, so that the loop has something to
// do. Put a real one in its place; the loop stays as it is.
//
//   ./stacyvm serve                       # in another terminal
//   node examples/agent-loop/main.mjs
import assert from "node:assert/strict";
import { Client, ExecTimeoutError } from "stacyvm";

const task = "How many primes are there below 10,000?";
const maxTurns = 5;

/** No language model: the same answers every time, chosen by what was seen so far. */
class ScriptedModel {
  nextProgram(_task, seen) {
    if (seen.length === 0) return "print(sum(is_prime(n) for n in range(10_000)))";
    if (!seen.at(-1).includes("NameError")) return undefined;
    return "def is_prime(n):\n    return n > 1 and all(n % d for d in range(2, int(n**0.5) + 1))\n\nprint(sum(is_prime(n) for n in range(10_000)))";
  }
}

/** What the program printed, as the model is to see it. Whatever the program does, it does in there. */
async function run(sandbox, program) {
  await sandbox.writeFile("/workspace/program.py", program);
  try {
    const result = await sandbox.exec("python3 program.py", { timeout: "20s" });
    return result.exit_code === 0 ? result.stdout : `exit code ${result.exit_code}\n${result.stderr}`;
  } catch (fault) {
    if (fault instanceof ExecTimeoutError) return "the program did not end within 20 s";
    throw fault;
  }
}

const client = new Client({ baseUrl: process.env.STACYVM_URL ?? "http://localhost:7423", apiKey: process.env.STACYVM_API_KEY });
const model = new ScriptedModel();
const seen = [];
await client.withSandbox({ ttl: "10m" }, async (sandbox) => {
  for (let turn = 1; turn <= maxTurns; turn++) {
    const program = model.nextProgram(task, seen);
    if (program === undefined) break;
    seen.push(await run(sandbox, program));
    console.log(`--- turn ${turn} ---\n${program}\n--- it printed ---\n${seen.at(-1).trim()}`);
  }
});
console.log(`${task} ${seen.at(-1).trim()}`);
assert.equal(seen.at(-1).trim(), "1229");
