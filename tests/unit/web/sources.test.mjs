import assert from "node:assert/strict";
import test from "node:test";
import { overhangOf, ratioOf, sizesOf, sourcesOf, srcsetOf } from "../../../web/src/sources.js";

const full = { url: "/cdn/a.jpg", width: 2048, height: 1024 };

test("an artwork without narrower versions has the one it is displayed by", () => {
  const { url: displayUrl, width, height } = full;
  assert.deepEqual(sourcesOf({ displayUrl, width, height }), [full]);
  assert.deepEqual(sourcesOf({ displayUrl, width: null, height: null }), []);
  const display = [{ url: "/cdn/a.640.jpg", width: 640, height: 320 }, full];
  assert.equal(sourcesOf({ displayUrl, width, height, display }), display);
  assert.equal(srcsetOf(display), "/cdn/a.640.jpg 640w, /cdn/a.jpg 2048w");
});

test("on a dense screen a place is named wider, so that no version below its pixels is taken", () => {
  assert.equal(sizesOf(320, 1), "320px");
  // Browsers take the narrower of two up to their geometric mean.
  const named = parseInt(sizesOf(330, 2), 10);
  const [narrow, wide] = [640 / named, 1280 / named];
  assert.ok(2 >= Math.sqrt(narrow * wide), "640 pixels are not enough for 660");
});

test("places keep within bounds, whatever the shape of a picture", () => {
  assert.equal(ratioOf({ displayUrl: null, width: 100, height: 4000 }), 0.5);
  assert.equal(ratioOf({ displayUrl: null, width: 4000, height: 100 }), 3.2);
  assert.equal(ratioOf({ displayUrl: null, width: null, height: null }), 1);
  assert.equal(overhangOf({ displayUrl: null, width: 300, height: 100 }), 3);
  assert.equal(overhangOf({ displayUrl: null, width: 100, height: 300 }), 1);
});
