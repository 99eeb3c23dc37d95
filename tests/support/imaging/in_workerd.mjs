// Renders files in the siblings themselves, inside workerd with memory capped, and prints what each render took.
//
//   node tests/support/imaging/in_workerd.mjs [--variants thumbnail,icon,watermark] [--times N] [--save DIR] <file>...
//
// One line of JSON a render: {file, variant, status, ms, heapMiB, stages, …}; `ms` is seen from outside, so it
// includes fetching the original from R2 and storing the rendition. `--save` keeps the renditions as
// DIR/<variant>-<number of the file>.jpg. Other lines are the Workers' own logs.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startSiblings } from "./siblings.mjs";

const { values: options, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    variants: { type: "string", default: "thumbnail,icon,watermark" },
    times: { type: "string", default: "1" },
    save: { type: "string" },
  },
});
const FOLDERS = { thumbnail: "thumbnails", icon: "icons", watermark: "display" };
const BODIES = { thumbnail: { width: 300, height: 300 }, icon: { size: 128 }, watermark: { username: "painter" } };

const { bucket, token, siblings, stop } = await startSiblings(options.variants.split(","));

async function rendered({ variant, fetch, heapMiB }, index) {
  const outputKey = `${FOLDERS[variant]}/bench/${index}.jpg`;
  const started = performance.now();
  const answer = await fetch(`/process-${variant}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
    body: JSON.stringify({ sourceKey: `originals/bench/${index}`, outputKey, ...BODIES[variant] }),
  });
  const { error, stages, bytes } = await answer.json();
  const ms = Math.round(performance.now() - started);
  return { variant, status: answer.status, error, ms, bytes, stages, outputKey, heapMiB: await heapMiB() };
}

try {
  for (const [index, file] of files.entries()) await bucket.put(`originals/bench/${index}`, readFileSync(file));
  for (const sibling of siblings) {
    const restMiB = await sibling.heapMiB();
    for (let time = 0; time < Number(options.times); time++) {
      for (const [index, file] of files.entries()) {
        const { outputKey, ...result } = await rendered(sibling, index);
        console.log(JSON.stringify({ file, ...result, restMiB }));
        if (!options.save || time > 0) continue;
        const rendition = await bucket.get(outputKey);
        if (!rendition) continue;
        const bytes = Buffer.from(await rendition.arrayBuffer());
        writeFileSync(join(options.save, `${sibling.variant}-${index}.jpg`), bytes);
      }
    }
  }
} finally {
  await stop();
}
