// Sends requests to one sibling, as a line of JSON each on stdin, and prints a line for each answer.
//
//   node tests/support/imaging/edge.mjs <variant> [variables as JSON] [WebAssembly memory in MiB]
//
// {put: key, base64}                                → {etag}
// {get: key}                                        → {base64, httpMetadata, etag, sha256} or {missing: true}
// {delete: key}                                     → {}
// {requests: [{path, method, headers, body}, …]}    → {answers: [{status, headers, text}, …]}, sent all at once
// `{token}` inside a header stands for the shared token.

import { createInterface } from "node:readline";
import { startSiblings } from "./siblings.mjs";

const [variant, variables = "{}", mebibytes] = process.argv.slice(2);
const memoryLimit = mebibytes ? Number(mebibytes) * 2 ** 20 : undefined;
const { bucket, token, siblings, stop } = await startSiblings([variant], JSON.parse(variables), memoryLimit);
const [sibling] = siblings;
const hex = (bytes) => Buffer.from(bytes).toString("hex");

async function send({ path, headers = {}, ...init }) {
  const filled = Object.entries(headers).map(([name, value]) => [name, value.replace("{token}", token)]);
  const answer = await sibling.fetch(path, { ...init, headers: Object.fromEntries(filled) });
  return { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
}

async function handle({ put, get, delete: gone, base64, requests }) {
  if (put) return { etag: (await bucket.put(put, Buffer.from(base64, "base64"))).etag };
  if (gone) return bucket.delete(gone).then(() => ({}));
  if (requests) return { answers: await Promise.all(requests.map(send)) };
  const object = await bucket.get(get);
  if (!object) return { missing: true };
  const { httpMetadata, etag, checksums } = object;
  const bytes = Buffer.from(await object.arrayBuffer());
  return { base64: bytes.toString("base64"), httpMetadata, etag, sha256: checksums.sha256 && hex(checksums.sha256) };
}

console.log("@ready");
for await (const line of createInterface({ input: process.stdin }))
  console.log(`@${JSON.stringify(await handle(JSON.parse(line)))}`);
await stop();
