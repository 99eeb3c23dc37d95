import assert from "node:assert/strict";
import test from "node:test";
import { artworkPath, format, parse } from "../../../web/src/address.js";

const at = (path) => parse(new URL(path, "http://gallery"));

test("every view's path leads back to the view", () => {
  const routes = [
    { view: "gallery", filters: {} },
    { view: "gallery", filters: { category: "mixed_media", tag: "hills & sea", q: "100 % #1?" } },
    { view: "gallery", filters: { username: "a.b-c_d" } },
    { view: "gallery", filters: { username: "ana", category: "drawing" } },
    { view: "artwork", username: "ana", slug: "夕暮れ-1" },
    { view: "upload" },
  ];
  for (const route of routes) assert.deepEqual(at(format(route)), route);
});

test("an artwork's path carries artist and slug", () => {
  assert.equal(artworkPath({ username: "ana", slug: "evening-tide" }), "/artists/ana/evening-tide");
});

test("a slash at the end changes nothing", () => {
  assert.deepEqual(at("/artists/ana/"), at("/artists/ana"));
  assert.deepEqual(at("/upload/"), { view: "upload" });
});

test("empty filters are left out", () => {
  assert.deepEqual(at("/?q=&category=%20&other=x"), { view: "gallery", filters: {} });
  assert.equal(format({ view: "gallery", filters: { q: undefined, category: "" } }), "/");
});

test("unknown and broken paths lead nowhere", () => {
  for (const path of ["/nowhere", "/artists", "/artists/a/b/c", "/upload/more", "/artists/%E0%A4%A"]) {
    assert.deepEqual(at(path), { view: "nowhere" });
  }
});
