// Small pictures of chosen files: the whole picture, on white where it is transparent.

import { TaskQueue } from "@uppy/core/utils";

const SIDE = 192;
// A decoded picture can take a hundred megabytes.
const queue = new TaskQueue({ concurrency: 1 });

/**
 * Draws a file. Resolves to null when the browser cannot decode it.
 * @param {Blob} file
 * @returns {Promise<HTMLCanvasElement | null>}
 */
export function preview(file) {
  return queue.add(() => draw(file).catch(() => null));
}

/** @param {Blob} file */
async function draw(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas;
}
