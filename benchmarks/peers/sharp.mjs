// sharp (libvips) in Node, driven by lines of JSON: {engine: "sharp" | "sharp-once", path} → {ms, cpuMs, outputs}.
//
// `sharp` runs a pipeline a rendition, one after the other, as three Workers would; `sharp-once` decodes once, shrinking
// while it loads, and makes the squares from those pixels.

import { readFileSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import sharp from "sharp";

/** @type {import("sharp").ResizeOptions} */
const DISPLAY = { width: 2048, height: 2048, fit: "inside", withoutEnlargement: true };
const SQUARES = { thumbnail: 300, icon: 128 };
const WHITE = "#ffffff";
const display = { quality: 85, chromaSubsampling: "4:2:0" };
const square = { quality: 90, chromaSubsampling: "4:4:4" };
const MARK = Buffer.from(
  `<svg xmlns="http://www.w3.org/2000/svg" width="300" height="80"><text y="60" font-size="48" fill="#fff" opacity="0.8">@painter</text></svg>`,
);

sharp.cache(false);

const marked = (image) => image.composite([{ input: MARK, gravity: "southeast" }]);
const upright = (path) => sharp(path).autoOrient().flatten({ background: WHITE });
const squared = (image, name) =>
  image.resize({ width: SQUARES[name], height: SQUARES[name], fit: "cover" }).jpeg(square);

const ENGINES = {
  async sharp(path, folder) {
    await marked(upright(path).resize(DISPLAY)).jpeg(display).toFile(join(folder, "display"));
    for (const name of Object.keys(SQUARES)) await squared(upright(path), name).toFile(join(folder, name));
  },

  async "sharp-once"(path, folder) {
    const { data, info } = await upright(path).resize(DISPLAY).raw().toBuffer({ resolveWithObject: true });
    const pixels = () => sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } });
    await marked(pixels()).jpeg(display).toFile(join(folder, "display"));
    for (const name of Object.keys(SQUARES)) await squared(pixels(), name).toFile(join(folder, name));
  },
};

function memory(name) {
  const found = readFileSync("/proc/self/status", "utf8").match(new RegExp(`${name}:\\s+(\\d+) kB`));
  return Number(found?.[1]) * 1024;
}

async function run({ engine, path }) {
  const folder = await mkdtemp(join(tmpdir(), "vfa-sharp-"));
  const atRest = memory("VmRSS");
  const cpu = process.cpuUsage();
  const started = performance.now();
  try {
    await ENGINES[engine](path, folder);
    const ms = performance.now() - started;
    const { user, system } = process.cpuUsage(cpu);
    const outputs = {};
    for (const name of ["display", ...Object.keys(SQUARES)]) outputs[name] = (await stat(join(folder, name))).size;
    return { ms, cpuMs: (user + system) / 1000, outputs, memoryBytes: memory("VmHWM") - atRest };
  } finally {
    await rm(folder, { recursive: true });
  }
}

console.log(JSON.stringify({ ready: true, versions: sharp.versions, threads: sharp.concurrency() }));
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = await run(JSON.parse(line));
  } catch (error) {
    answer = { error: String(error.message ?? error) };
  }
  console.log(JSON.stringify(answer));
}
