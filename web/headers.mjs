// The headers of static files, in the format Workers static assets read: chiefly the Content-Security-Policy.

const COMMON = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "strict-origin-when-cross-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
};
const FOREVER = "public, max-age=31536000, immutable";
const PLACEHOLDER = "ACCOUNT_ID";

/**
 * @param {{R2_CDN_DOMAIN?: string, R2_S3_ENDPOINT?: string}} vars of the gateway's wrangler.toml: where pictures
 *   come from and where originals go, unless that is the gateway itself
 */
export function headersFile({ R2_CDN_DOMAIN = "", R2_S3_ENDPOINT = "" }) {
  const page = policy({
    "img-src": ["'self'", "data:", "blob:", ...originOf(R2_CDN_DOMAIN)],
    "connect-src": ["'self'", ...originOf(R2_S3_ENDPOINT)],
    "require-trusted-types-for": ["'script'"],
  });
  const viewer = policy({ "img-src": ["'self'", "data:"], "connect-src": ["'self'"] });
  return [
    rule("/*", { ...COMMON, "Content-Security-Policy": page }),
    "/docs/*\n  ! Content-Security-Policy",
    `  Content-Security-Policy: ${viewer}`,
    rule("/assets/kept/*", { "Cache-Control": FOREVER }),
    "",
  ].join("\n");
}

/** @param {Record<string, string[]>} extra */
function policy(extra) {
  const directives = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "font-src": ["'self'"],
    ...extra,
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'none'"],
  };
  return Object.entries(directives)
    .map(([name, sources]) => [name, ...sources].join(" "))
    .join("; ");
}

/**
 * The address's origin as a CSP source; none while wrangler.toml still holds the placeholder.
 * @param {string} address
 */
function originOf(address) {
  if (!address || address.includes(PLACEHOLDER)) return [];
  return [new URL(address.includes("://") ? address : `https://${address}`).origin];
}

/**
 * @param {string} path
 * @param {Record<string, string>} headers
 */
function rule(path, headers) {
  return [path, ...Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`)].join("\n");
}
