import assert from "node:assert/strict";
import test from "node:test";
import { inkOn, siteOf } from "../../../web/src/site.js";

const BASE = "https://gallery.example/artists/ana";

test("a document that says nothing has a site's defaults", () => {
  for (const text of ["", "{}", "null", "[1", '{"name": 7, "footerLinks": "x"}']) {
    const site = siteOf(text, BASE);
    assert.equal(site.name, "Gallery");
    assert.equal(site.logoUrl, null);
    assert.equal(site.accent, null);
    assert.deepEqual(site.footerLinks, []);
  }
});

test("what the operator has set is taken", () => {
  const site = siteOf(
    JSON.stringify({
      name: " Kunsthalle ",
      tagline: "Since 1890",
      logoUrl: "/logo.svg",
      accent: "#1f57c3",
      footerText: "© Kunsthalle",
      footerLinks: [{ text: "Imprint", url: "/imprint" }],
    }),
    BASE,
  );
  assert.equal(site.name, "Kunsthalle");
  assert.equal(site.logoUrl, "https://gallery.example/logo.svg");
  assert.equal(site.accent, "#1f57c3");
  assert.deepEqual(site.footerLinks, [{ text: "Imprint", url: "https://gallery.example/imprint" }]);
});

test("no link runs a script, and no colour is anything else", () => {
  const links = ["javascript:alert(1)", "data:text/html,x", "", "https://"].map((url) => ({ text: "x", url }));
  const site = siteOf(JSON.stringify({ accent: "red;--x:1", logoUrl: "javascript:1", footerLinks: links }), BASE);
  assert.deepEqual(site.footerLinks, []);
  assert.equal(site.accent, null);
  assert.equal(site.logoUrl, null);
});

test("the ink on a colour is the one that reads better", () => {
  assert.equal(inkOn("#ffffff"), "#000000");
  assert.equal(inkOn("#ffd400"), "#000000");
  assert.equal(inkOn("#1f57c3"), "#ffffff");
  assert.equal(inkOn("#000000"), "#ffffff");
});
