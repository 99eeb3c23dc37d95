// jSquash: mozjpeg, Squoosh's PNG and WebP decoders and its LANCZOS resize. It has nothing to draw a watermark with.

import "./memories.mjs";
import "./image-data.mjs";
import jpegDecoder from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm";
import jpegEncoder from "@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm";
import decodeJpeg, { init as initJpegDecoder } from "@jsquash/jpeg/decode";
import encodeJpeg, { init as initJpegEncoder } from "@jsquash/jpeg/encode";
import pngDecoder from "@jsquash/png/codec/pkg/squoosh_png_bg.wasm";
import decodePng, { init as initPngDecoder } from "@jsquash/png/decode";
import resize, { initResize } from "@jsquash/resize";
import resizer from "@jsquash/resize/lib/resize/pkg/squoosh_resize_bg.wasm";
import webpDecoder from "@jsquash/webp/codec/dec/webp_dec.wasm";
import decodeWebp, { init as initWebpDecoder } from "@jsquash/webp/decode";
import { DISPLAY, fitted, QUALITY, SQUARES, serve } from "./renditions.mjs";

const LANCZOS = { method: "lanczos3", premultiply: true, linearRGB: false };
// Plain Huffman tables in one scan: what the other engines write.
const PLAIN = { progressive: false, optimize_coding: false, trellis_multipass: false, baseline: true };
let ready;

function decode(buffer) {
  const [first, second] = new Uint8Array(buffer, 0, 2);
  if (first === 0xff && second === 0xd8) return decodeJpeg(buffer);
  return first === 0x89 ? decodePng(buffer) : decodeWebp(buffer);
}

export default serve(async (object) => {
  ready ??= Promise.all([
    initJpegDecoder(jpegDecoder),
    initJpegEncoder(jpegEncoder),
    initPngDecoder(pngDecoder),
    initWebpDecoder(webpDecoder),
    initResize(resizer),
  ]);
  await ready;
  const original = await decode(await object.arrayBuffer());
  const encode = (image, name) => encodeJpeg(image, { ...PLAIN, quality: QUALITY[name] });
  // A copy a rendition: what crops, crops in place.
  const square = async (name) => {
    const copy = new ImageData(original.data.slice(), original.width, original.height);
    const side = SQUARES[name];
    return encode(await resize(copy, { ...LANCZOS, width: side, height: side, fitMethod: "contain" }), name);
  };
  const display = await resize(original, { ...LANCZOS, ...fitted(original.width, original.height, DISPLAY) });
  return {
    display: await encode(display, "display"),
    thumbnail: await square("thumbnail"),
    icon: await square("icon"),
  };
});
