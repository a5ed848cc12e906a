// Data analysis: a CSV goes into a sandbox, a program works on it there, a report and a chart come back.
//
//   ./stacyvm serve                                  # in another terminal
//   node examples/data-analysis/main.mjs [FOLDER]    # where the chart goes; default: a temporary one
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "stacyvm";

const target = process.argv[2] ?? mkdtempSync(join(tmpdir(), "chart-"));
const client = new Client({ baseUrl: process.env.STACYVM_URL ?? "http://localhost:7423", apiKey: process.env.STACYVM_API_KEY });

const report = await client.withSandbox({ ttl: "10m" }, async (sandbox) => {
  for (const name of ["sales.csv", "analysis.py"]) await sandbox.writeFile(`/workspace/${name}`, readFileSync(new URL(name, import.meta.url)));
  const run = sandbox.execStream("python3 analysis.py", { timeout: "1m" });
  for await (const chunk of run) (chunk.stream === "stderr" ? process.stderr : process.stdout).write(chunk.data);
  if (run.exitCode !== 0) throw new Error(`the analysis ended with ${run.exitCode}`);
  writeFileSync(join(target, "chart.svg"), await sandbox.readFileBytes("/workspace/chart.svg"));
  return JSON.parse(await sandbox.readFile("/workspace/report.json"));
});

for (const [region, amount] of Object.entries(report)) console.log(region.padEnd(8) + amount.toFixed(2).padStart(12));
console.log(`the chart is in ${join(target, "chart.svg")}`);
