// The door of the peers' workerd: `PUT /objects/<key>` stores an original, `POST /<engine>` has it rendered.

export default {
  async fetch(request, env) {
    const path = new URL(request.url).pathname.slice(1);
    if (request.method === "PUT") {
      await env.BUCKET.put(path.slice("objects/".length), request.body);
      return new Response(null, { status: 204 });
    }
    const engine = env[path.toUpperCase().replaceAll("-", "_")];
    if (!engine) return Response.json({ error: `no engine ${path}` }, { status: 404 });
    try {
      return await engine.fetch("http://engine/", { method: "POST", body: request.body });
    } catch (error) {
      return Response.json({ error: String(error?.message ?? error) }, { status: 500 });
    }
  },
};
