// Renders files in the siblings themselves, inside workerd with memory capped, and prints what each render took.
//
//   node tests/support/imaging/in_workerd.mjs [--variants …] [--narrower 640,1280] [--times N]
//     [--save DIR] <file>...
//
// One line of JSON a render: {file, variant, status, ms, cpuMs, heapMiB, stages, …}; `ms` is seen from outside, so
// it includes fetching the original from R2 and storing the rendition. `cpuMs` is the CPU time of the whole workerd
// process meanwhile (Linux only). `--save` keeps the renditions as DIR/<variant>-<number of the file>.jpg.
// `--narrower` renders each display twice, without and with these widths. Other lines are the Workers' own logs.

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
    narrower: { type: "string", default: "" },
  },
});
const TABLE = readFileSync(join(import.meta.dirname, "../../../variants/src/imaging/variants.py"), "utf8");
const ROWS = TABLE.matchAll(/Variant\.(\w+): Rules\("(\w+)\/"/g);
const FOLDERS = Object.fromEntries(Array.from(ROWS, ([, name, folder]) => [name.toLowerCase(), folder]));

const { bucket, token, siblings, stop } = await startSiblings(options.variants.split(","));

/** CPU milliseconds of the workerd process that this one has started, or null where /proc does not say. */
function cpuMs() {
  try {
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ");
    const fields = children.map((pid) => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" "));
    return fields.reduce((sum, each) => sum + Number(each[11]) + Number(each[12]), 0) * 10;
  } catch {
    return null;
  }
}

async function rendered({ variant, fetch, heapMiB }, index, widths = []) {
  const outputKey = `${FOLDERS[variant]}/bench/${index}.jpg`;
  const narrower = widths.map((width) => ({ width, outputKey: outputKey.replace(".jpg", `-${width}.jpg`) }));
  const body = { sourceKey: `originals/bench/${index}`, outputKey, username: "painter" };
  const [started, used] = [performance.now(), cpuMs()];
  const answer = await fetch(`/process-${variant}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
    body: JSON.stringify(narrower.length ? { ...body, narrower } : body),
  });
  const { error, stages, bytes } = await answer.json();
  const ms = Math.round(performance.now() - started);
  const now = cpuMs();
  const cpu = used === null || now === null ? null : now - used;
  const rendition = { bytes, narrower: widths.length, stages, outputKey };
  return { variant, status: answer.status, error, ms, cpuMs: cpu, ...rendition, heapMiB: await heapMiB() };
}

try {
  for (const [index, file] of files.entries()) await bucket.put(`originals/bench/${index}`, readFileSync(file));
  for (const sibling of siblings) {
    const restMiB = await sibling.heapMiB();
    for (let time = 0; time < Number(options.times); time++) {
      for (const [index, file] of files.entries()) {
        const { outputKey, ...result } = await rendered(sibling, index);
        console.log(JSON.stringify({ file, ...result, restMiB }));
        if (options.narrower && sibling.variant === "watermark") {
          const { outputKey: _, ...wider } = await rendered(sibling, index, options.narrower.split(",").map(Number));
          console.log(JSON.stringify({ file, ...wider, restMiB }));
        }
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
