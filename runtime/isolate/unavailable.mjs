// What a client hears while the interpreter is being replaced: an error in the form of whoever it asked.

const PAUSE_SECONDS = 2;
const SENTENCE = "The gallery is starting again. Please try again in a moment.";
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** 503 with Retry-After: as the gateway's API says it, or as a renderer tells the gateway. */
export function unavailable(request, env) {
  const given = request.headers.get("x-request-id") ?? "";
  const requestId = REQUEST_ID.test(given) ? given : crypto.randomUUID();
  const body =
    env.RUNTIME.name === "gateway"
      ? { error: SENTENCE, code: "unavailable", requestId }
      : { success: false, error: SENTENCE, code: "overloaded" };
  return new Response(JSON.stringify(body), {
    status: 503,
    headers: {
      "Content-Type": "application/json; charset=utf-8",
      "Cache-Control": "no-store",
      "Retry-After": String(PAUSE_SECONDS),
      "X-Content-Type-Options": "nosniff",
      "X-Request-Id": requestId,
    },
  });
}
