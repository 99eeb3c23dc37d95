// First sees each request of a client. The emulated bucket takes headers that nobody signed, `x-amz-copy-source` among
// them, with which a ticket for one object reads any other; S3 and R2 refuse them, and so it is refused here.

const S3_PATH = "/cdn-cgi/local/r2/s3/";
// Miniflare's own headers, by which it takes a request for another.
const INTERNAL = /^mf-/;
const SMALL_BYTES = 64 * 1024;

function signedHeaders(request, url) {
  const inQuery = url.searchParams.get("X-Amz-SignedHeaders");
  const [, inHeader] = /SignedHeaders=([^,\s]+)/.exec(request.headers.get("authorization") ?? "") ?? [];
  const names = inQuery ?? inHeader;
  return names && names.toLowerCase().split(";");
}

/** Names of `x-amz-*` headers that a signed request bears beside those it was signed with. */
function unsigned(request, url) {
  const signed = signedHeaders(request, url);
  if (!signed) return [];
  return [...request.headers.keys()].filter((name) => name.startsWith("x-amz-") && !signed.includes(name));
}

function refusal(names) {
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AccessDenied</Code><Message>There were headers present in the request which were not signed</Message>\
<HeadersNotSigned>${names.join(", ")}</HeadersNotSigned></Error>`;
  const headers = { "Content-Type": "application/xml", "Access-Control-Allow-Origin": "*" };
  return new Response(body, { status: 403, headers });
}

/** An answer that comes before a small body was read would cost the client its connection. */
async function readSmallBody(request) {
  if (Number(request.headers.get("content-length")) <= SMALL_BYTES) await request.arrayBuffer();
}

export default {
  async fetch(request, env) {
    const internal = [...request.headers.keys()].filter((name) => INTERNAL.test(name));
    if (internal.length) request = new Request(request);
    for (const name of internal) request.headers.delete(name);
    const url = new URL(request.url);
    const names = url.pathname.startsWith(S3_PATH) ? unsigned(request, url) : [];
    if (!names.length) return env.MINIFLARE.fetch(request);
    await readSmallBody(request).catch(() => {});
    return refusal(names);
  },
};
