// Handles each request of a client before Miniflare does.
//
// Miniflare's bucket accepts `x-amz-*` headers that were not signed. With `x-amz-copy-source`, an upload URL for one
// object would read any other; S3 and R2 refuse such requests, so they are refused here.
//
// `/.local/` lists the users of the local stack and issues tokens, so that the page can sign in with a click. Only pages of
// the stack itself may ask: a name that resolves to this machine (DNS rebinding) is refused by its Host header.

const S3_PATH = "/cdn-cgi/local/r2/s3/";
const LOCAL_PATH = "/.local/";
const LOCAL_NAMES = new Set(["127.0.0.1", "localhost", "[::1]"]);
// Headers of Miniflare's own, which change what it does with a request.
const INTERNAL = /^mf-/;
const SMALL_BYTES = 64 * 1024;

function signedHeaders(request, url) {
  const inQuery = url.searchParams.get("X-Amz-SignedHeaders");
  const [, inHeader] = /SignedHeaders=([^,\s]+)/.exec(request.headers.get("authorization") ?? "") ?? [];
  const names = inQuery ?? inHeader;
  return names?.toLowerCase().split(";");
}

/** Names of the `x-amz-*` headers of a signed request that are not among the signed ones. */
function unsignedHeaders(request, url) {
  const signed = signedHeaders(request, url);
  if (!signed) return [];
  return [...request.headers.keys()].filter((name) => name.startsWith("x-amz-") && !signed.includes(name));
}

function accessDenied(names) {
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AccessDenied</Code><Message>There were headers present in the request which were not signed</Message>\
<HeadersNotSigned>${names.join(", ")}</HeadersNotSigned></Error>`;
  const headers = { "Content-Type": "application/xml", "Access-Control-Allow-Origin": "*" };
  return new Response(body, { status: 403, headers });
}

/** Reads a small body, because a response that comes before it was read costs the client its connection. */
async function readSmallBody(request) {
  if (Number(request.headers.get("content-length")) <= SMALL_BYTES) return request.text();
  return "";
}

const failure = (status, code, error, headers = {}) => json(status, { error, code }, headers);

function json(status, body, headers = {}) {
  const fixed = { "Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store" };
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...fixed, "X-Content-Type-Options": "nosniff", ...headers },
  });
}

/** Whether a page of this stack, or no page at all, sent the request. */
function isOwnOrigin(request) {
  const host = request.headers.get("host") ?? "";
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site") ?? "none";
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return (
    LOCAL_NAMES.has(name) && (origin === null || origin === `http://${host}`) && ["same-origin", "none"].includes(site)
  );
}

async function askControl(env, action, body) {
  const headers = { authorization: `Bearer ${env.SETTINGS.token}` };
  const response = await env.CONTROL.fetch(`http://control/${action}`, { method: "POST", headers, body });
  if (!response.ok) throw new Error(`the runtime's control port responded ${response.status}`);
  return response.json();
}

function isObject(text) {
  try {
    return Object.getPrototypeOf(JSON.parse(text)) === Object.prototype;
  } catch {
    return false;
  }
}

const LOCAL_ROUTES = {
  "/.local/users": {
    method: "GET",
    handle: async (_, env) => json(200, await askControl(env, "users", "{}")),
  },
  "/.local/token": {
    method: "POST",
    async handle(body, env) {
      if (!isObject(body)) return failure(400, "invalid_request", 'The body must be JSON: {"username": "…"}.');
      const { token } = await askControl(env, "token", body);
      return token ? json(200, { token }) : failure(404, "not_found", "There is no active user of this name.");
    },
  },
};

async function serveLocal(request, url, env) {
  const body = await readSmallBody(request);
  const route = LOCAL_ROUTES[url.pathname];
  if (!isOwnOrigin(request)) return failure(403, "forbidden", "Only pages of this gallery may ask for this.");
  if (!route) return failure(404, "not_found", "There is nothing here.");
  if (request.method !== route.method) {
    return failure(405, "method_not_allowed", `Use ${route.method}.`, { Allow: route.method });
  }
  return route.handle(body, env);
}

export default {
  async fetch(request, env) {
    const internal = [...request.headers.keys()].filter((name) => INTERNAL.test(name));
    if (internal.length) request = new Request(request);
    for (const name of internal) request.headers.delete(name);
    const url = new URL(request.url);
    if (url.pathname.startsWith(LOCAL_PATH)) return serveLocal(request, url, env);
    const names = url.pathname.startsWith(S3_PATH) ? unsignedHeaders(request, url) : [];
    if (!names.length) return env.MINIFLARE.fetch(request);
    await readSmallBody(request).catch(() => {});
    return accessDenied(names);
  },
};
