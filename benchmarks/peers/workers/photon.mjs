// @cf-wasm/photon: a pipeline a rendition, as three Workers would run it, or decoded once; every rendition is resized from
// the full picture.

import "./memories.mjs";
import { crop, draw_text, PhotonImage, resize, SamplingFilter } from "@cf-wasm/photon/workerd";
import { centred, DISPLAY, fitted, MARK, QUALITY, SQUARES, serve } from "./renditions.mjs";

const LANCZOS = SamplingFilter.Lanczos3;

function using(image, work) {
  try {
    return work(image);
  } finally {
    image.free();
  }
}

function display(original) {
  const { width, height } = fitted(original.get_width(), original.get_height(), DISPLAY);
  return using(resize(original, width, height, LANCZOS), (image) => {
    draw_text(image, MARK, width - 300, height - 80, 48);
    return image.get_bytes_jpeg(QUALITY.display);
  });
}

function square(original, name) {
  const { left, top, side } = centred(original.get_width(), original.get_height());
  return using(crop(original, left, top, left + side, top + side), (part) =>
    using(resize(part, SQUARES[name], SQUARES[name], LANCZOS), (image) => image.get_bytes_jpeg(QUALITY[name])),
  );
}

const RENDITIONS = {
  display,
  thumbnail: (original) => square(original, "thumbnail"),
  icon: (original) => square(original, "icon"),
};

export default serve(async (object, env) => {
  const bytes = new Uint8Array(await object.arrayBuffer());
  const decoded = (work) => using(PhotonImage.new_from_byteslice(bytes), work);
  const rendered = (original) => Object.entries(RENDITIONS).map(([name, make]) => [name, make(original)]);
  if (env.DECODE_ONCE) return Object.fromEntries(decoded(rendered));
  return Object.fromEntries(Object.entries(RENDITIONS).map(([name, make]) => [name, decoded(make)]));
});
