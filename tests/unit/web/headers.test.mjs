import assert from "node:assert/strict";
import test from "node:test";
import { headersFile } from "../../../web/headers.mjs";

const policyOf = (file) => /Content-Security-Policy: (.*)/.exec(file)[1];

test("pictures may come from the renditions' domain, originals may go to the bucket, and nowhere else", () => {
  const file = headersFile({
    R2_CDN_DOMAIN: "cdn.example.org",
    R2_S3_ENDPOINT: "https://abc.r2.cloudflarestorage.com",
  });
  assert.match(policyOf(file), /img-src 'self' data: blob: https:\/\/cdn\.example\.org;/);
  assert.match(policyOf(file), /connect-src 'self' https:\/\/abc\.r2\.cloudflarestorage\.com;/);
});

test("a placeholder of wrangler.toml does not reach the policy", () => {
  const file = headersFile({
    R2_CDN_DOMAIN: "",
    R2_S3_ENDPOINT: "https://ACCOUNT_ID.r2.cloudflarestorage.com",
  });
  assert.match(policyOf(file), /connect-src 'self';/);
});

test("an underscore in an address is none of the placeholder's", () => {
  const file = headersFile({
    R2_CDN_DOMAIN: "https://cdn_1.example.org/my_pictures",
    R2_S3_ENDPOINT: "https://a_b.r2.cloudflarestorage.com",
  });
  assert.match(policyOf(file), /img-src 'self' data: blob: https:\/\/cdn_1\.example\.org;/);
  assert.match(policyOf(file), /connect-src 'self' https:\/\/a_b\.r2\.cloudflarestorage\.com;/);
});

test("no script and no style is allowed inline", () => {
  const file = headersFile({});
  assert.doesNotMatch(file, /unsafe/);
  assert.match(policyOf(file), /default-src 'none'; script-src 'self'; style-src 'self'/);
});
