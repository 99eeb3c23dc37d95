// A second port, for this machine's own commands and tests: SQL, faults, cron, memory. Guarded by a token in the state folder.

import { createServer } from "node:http";
import { timingSafeEqual } from "node:crypto";

const BODY_LIMIT = 1 << 24;

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

function knows(request, token) {
  const given = Buffer.from(request.headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Serves `actions` (name → async function of the JSON body) on a free port of 127.0.0.1. */
export async function serveControl(token, actions) {
  const server = createServer(async (request, response) => {
    const answer = (status, body) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    const action = actions[request.url.slice(1)];
    if (!knows(request, token)) return answer(401, { error: "wrong token" });
    if (!action) return answer(404, { error: `no action ${request.url}` });
    try {
      answer(200, (await action(await readJson(request))) ?? {});
    } catch (error) {
      answer(400, { error: String(error.message ?? error) });
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
