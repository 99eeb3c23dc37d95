// A second port, for this machine's own commands and tests, guarded by a token in the state folder: SQL, faults, cron, memory.

import { timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const HOST = "127.0.0.1";
const BODY_LIMIT = 1 << 24;
const INSPECTOR_MS = 30_000;

async function readJson(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new Error("body too large");
    chunks.push(chunk);
  }
  return chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : {};
}

function isAuthorized(request, token) {
  const given = Buffer.from(request.headers.authorization ?? "");
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

async function handle(request, token, actions) {
  const action = actions[request.url.slice(1)];
  if (!isAuthorized(request, token)) return [401, { error: "wrong token" }];
  if (!action) return [404, { error: `no action ${request.url}` }];
  try {
    return [200, (await action(await readJson(request))) ?? {}];
  } catch (error) {
    return [400, { error: String(error.message ?? error) }];
  }
}

/** @param {import("node:net").Server} server that listens on TCP */
export const portOf = (server) => /** @type {import("node:net").AddressInfo} */ (server.address()).port;

/** Listens on a free port of 127.0.0.1: `{url, actions, close()}`. Add to `actions` a function of the JSON body by name. */
export async function serveControl(token) {
  const actions = {};
  const server = createServer(async (request, response) => {
    const [status, body] = await handle(request, token, actions);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
  await new Promise((done) => server.listen(0, HOST, () => done(undefined)));
  return { url: `http://${HOST}:${portOf(server)}`, actions, close: () => server.close() };
}

/** Every key of a bucket or a KV namespace; pages list them as `entries`, each with its key as `name`. */
export async function allKeys(store, entries, name) {
  const keys = [];
  let page;
  do {
    page = await store.list({ cursor: page?.cursor });
    keys.push(...page[entries].map((entry) => entry[name]));
  } while (page.cursor);
  return keys;
}

/** Bytes of V8's heap in an isolate and of buffers beside it (not WebAssembly's memory), garbage included. */
export function javascriptBytes(inspector, worker) {
  const socket = new WebSocket(new URL(`/core:user:${worker}`, inspector));
  return new Promise((resolve, reject) => {
    const timeout = setTimeout(() => reject(new Error(`${worker} does not tell its memory`)), INSPECTOR_MS);
    socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: "Runtime.getHeapUsage" }));
    socket.onerror = () => reject(new Error(`${worker} has no inspector`));
    socket.onmessage = ({ data }) => {
      const { id, result } = JSON.parse(data);
      if (id !== 1) return;
      clearTimeout(timeout);
      resolve(result.usedSize + result.backingStorageSize);
    };
  }).finally(() => socket.close());
}
