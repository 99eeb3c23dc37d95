// Our trio: the three siblings at once, as the gateway calls them.

const FOLDERS = { thumbnail: "thumbnails", icon: "icons", watermark: "display" };
const BODIES = { thumbnail: { width: 300, height: 300 }, icon: { size: 128 }, watermark: { username: "painter" } };

async function render(env, variant, key) {
  const body = { sourceKey: key, outputKey: `${FOLDERS[variant]}/${key.split("/").pop()}.jpg`, ...BODIES[variant] };
  const answer = await env[variant.toUpperCase()].fetch(`http://sibling/process-${variant}`, {
    method: "POST",
    headers: { authorization: `Bearer ${env.WORKER_AUTH_TOKEN}` },
    body: JSON.stringify({ ...body, timestamp: Date.now() }),
  });
  const stages = answer.headers.get("x-bench-stages");
  return { status: answer.status, ...(await answer.json()), ...(stages && { stages: JSON.parse(stages) }) };
}

async function heapBytes(env, variant) {
  const answer = await env[variant.toUpperCase()].fetch("http://isolate/", {
    headers: { "x-runtime-token": env.RUNTIME_TOKEN },
  });
  return (await answer.json()).heapBytes;
}

export default {
  async fetch(request, env) {
    const { key, variants = Object.keys(BODIES) } = await request.json();
    const answers = await Promise.all(variants.map((variant) => render(env, variant, key)));
    const failed = answers.find((answer) => answer.status !== 200);
    if (failed)
      return Response.json({ error: failed.error, code: failed.code, status: failed.status }, { status: 500 });
    const heaps = await Promise.all(variants.map((variant) => heapBytes(env, variant)));
    return Response.json({
      outputs: Object.fromEntries(answers.map((answer, index) => [variants[index], answer.bytes])),
      stages: Object.fromEntries(answers.map((answer, index) => [variants[index], answer.stages])),
      memoryBytes: Math.max(...heaps),
    });
  },
};
