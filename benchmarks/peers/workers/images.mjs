// Cloudflare's Images binding. Miniflare's emulation hands the original to sharp, in Node, for each rendition; it neither
// draws the mark nor heeds the quality, so what is measured is less work than what is billed.

import { DISPLAY, MARK, QUALITY, SQUARES, serve } from "./renditions.mjs";

const mark = (text) =>
  new Blob([
    `<svg xmlns="http://www.w3.org/2000/svg" width="300" height="80"><text y="60">${text}</text></svg>`,
  ]).stream();

export default serve(async (object, env) => {
  const original = await object.arrayBuffer();
  const made = async (name, transform, overlay) => {
    let handle = env.IMAGES.input(new Blob([original]).stream()).transform(transform);
    if (overlay) handle = handle.draw(env.IMAGES.input(mark(overlay)), { bottom: 24, right: 24, opacity: 0.8 });
    const output = await handle.output({ format: "image/jpeg", quality: QUALITY[name] });
    return new Response(output.image()).arrayBuffer();
  };
  const square = (name) => made(name, { width: SQUARES[name], height: SQUARES[name], fit: "cover" });
  return {
    display: await made("display", { width: DISPLAY, height: DISPLAY, fit: "scale-down" }, MARK),
    thumbnail: await square("thumbnail"),
    icon: await square("icon"),
  };
});
