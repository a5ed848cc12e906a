// A web application with a live preview: it runs in a sandbox, without network, and a browser sees it under a URL of its own.
//
//   ./stacyvm serve                               # in another terminal
//   node examples/web-preview/main.mjs --wait     # leaves it running until Enter is pressed; open the URL in a browser
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "stacyvm";

const address = process.env.STACYVM_URL ?? "http://localhost:7423";
const client = new Client({ baseUrl: address, apiKey: process.env.STACYVM_API_KEY });

/** Browsers find *.localhost by themselves; this program names the preview to the server's own address. */
function fetchPreview(url) {
  return new Promise((resolve, reject) => {
    get(address, { headers: { Host: new URL(url).host } }, async (answer) => resolve((await answer.toArray()).join(""))).on("error", reject);
  });
}

await client.withSandbox({ ttl: "30m" }, async (sandbox) => {
  await sandbox.writeFile("/workspace/app.py", readFileSync(new URL("app.py", import.meta.url)));
  await sandbox.startBackground("python3 app.py");
  for (let tries = 0; !(await sandbox.ports()).some((port) => port.port === 8000); tries++) {
    if (tries === 100) throw new Error("the application does not listen");
    await sleep(100);
  }
  const url = sandbox.getPreviewUrl(8000);
  console.log(`open ${url}`);
  console.log(await fetchPreview(url));
  if (process.argv.includes("--wait")) await new Promise((resolve) => process.stdin.once("data", resolve));
});
process.stdin.unref?.();
