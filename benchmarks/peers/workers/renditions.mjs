// What all JavaScript peers have in common: the three renditions asked for, and R2 in and out.

import { heapBytes } from "./memories.mjs";

export const DISPLAY = 2048;
export const SQUARES = { thumbnail: 300, icon: 128 };
export const QUALITY = { display: 85, thumbnail: 90, icon: 90 };
export const MARK = "@painter";

/** Width and height that fit the limit, never enlarged. */
export function fitted(width, height, limit) {
  const scale = Math.min(1, limit / width, limit / height);
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}

/** The largest centred square. */
export function centred(width, height) {
  const side = Math.min(width, height);
  return { left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 2), side };
}

/** A Worker's fetch handler: `make(object, env)` turns an R2 object into `{name: bytes or stream}`. */
export function serve(make) {
  return {
    async fetch(request, env) {
      const { key } = await request.json();
      const object = await env.BUCKET.get(key);
      const made = await make(object, env);
      const outputs = {};
      for (const [name, body] of Object.entries(made)) {
        const stored = await env.BUCKET.put(`rendered/${name}/${key}`, body, {
          httpMetadata: { contentType: "image/jpeg" },
        });
        outputs[name] = stored.size;
      }
      // The whole original is held beside the heap.
      return Response.json({ outputs, memoryBytes: heapBytes() && heapBytes() + object.size });
    },
  };
}
