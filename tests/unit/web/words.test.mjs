import assert from "node:assert/strict";
import test from "node:test";
import {
  categoryName,
  categoryOf,
  counted,
  dateName,
  isDate,
  sizeName,
  startsWord,
  tagsOf,
  titleOf,
} from "../../../web/src/words.js";

test("dates read as precisely as they are known", () => {
  assert.equal(dateName("2024"), "2024");
  assert.equal(dateName("2024-05"), "May 2024");
  assert.equal(dateName("2024-05-01"), "May 1, 2024");
  assert.equal(dateName("around 1900"), "around 1900");
});

test("early years are not taken for those of the last century", () => {
  assert.equal(dateName("0050-03"), "March 50");
  assert.equal(dateName("0999-12-31"), "December 31, 999");
});

test("a date is a year, a month or a day that there is", () => {
  for (const date of ["2024", "0050", "2024-12", "2024-02-29", "2000-02-29", "1999-12-31"])
    assert.ok(isDate(date), date);
  const wrong = ["", "99", "20240", "2024-00", "2024-13", "2024-5", "2023-02-29", "1900-02-29", "2024-04-31"];
  for (const date of [...wrong, "2024-01-00", "2024-01-32", "2024-01-01T00", "around 1900"])
    assert.ok(!isDate(date), date);
});

test("a file's name becomes a title", () => {
  assert.equal(titleOf("evening_tide-2.final.jpg"), "Evening tide 2.final");
  assert.equal(titleOf(".jpg"), "Untitled");
  assert.equal(titleOf(`${"x".repeat(300)}.png`).length, 200);
});

test("tags are trimmed, and each counts once", () => {
  assert.deepEqual(tagsOf(" sea, evening,sea ,, "), ["sea", "evening"]);
});

test("the usual categories have names of the API's, others are what was written", () => {
  assert.equal(categoryOf(" mixed media "), "mixed_media");
  assert.equal(categoryOf("Painting"), "painting");
  assert.equal(categoryOf("Oil & Gold"), "Oil & Gold");
  assert.equal(categoryOf("  "), "");
});

test("sizes, counts and categories read well", () => {
  assert.equal(sizeName(0), "1 KB");
  assert.equal(sizeName(4.2 * 2 ** 20), "4.2 MB");
  assert.equal(sizeName(42 * 2 ** 20), "42 MB");
  assert.equal(counted(1, "picture"), "1 picture");
  assert.equal(counted(2, "picture"), "2 pictures");
  assert.equal(categoryName("mixed_media"), "Mixed media");
  assert.equal(categoryName("oil_on gold"), "oil_on gold");
});

test("a name's words are found by how they begin", () => {
  assert.ok(startsWord("night_sky", "sk"));
  assert.ok(startsWord("Ana María", "mar"));
  assert.ok(startsWord("ink", "#in"));
  assert.ok(!startsWord("ink", "nk"));
  assert.ok(!startsWord("ink", "#"));
});
