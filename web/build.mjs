// Builds the page into web/dist, or into a folder that is given: bundles web/src, copies web/static, writes the
// headers of its files for the environment of wrangler.toml that CLOUDFLARE_ENV names; production has no name.

import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { unstable_readConfig as readConfig } from "wrangler";
import { headersFile } from "./headers.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const gateway = readConfig(
  { config: process.env.GALLERY_CONFIG ?? here("../wrangler.toml"), env: process.env.CLOUDFLARE_ENV },
  { hideWarnings: true },
);

const dist = process.argv[2] ?? here("dist");

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await cp(here("static"), dist, { recursive: true });
await writeFile(join(dist, "_headers"), headersFile(gateway.vars));
const { metafile } = await build({
  entryPoints: [
    { in: here("src/page.js"), out: "page" },
    { in: here("src/page.css"), out: "page" },
    { in: here("src/upload/desk.css"), out: "upload/desk" },
    { in: here("src/lightbox/lightbox.css"), out: "lightbox/lightbox" },
    { in: here("src/docs/viewer.js"), out: "docs/viewer" },
    { in: here("src/docs/viewer.css"), out: "docs/viewer" },
  ],
  outdir: join(dist, "assets"),
  bundle: true,
  splitting: true,
  format: "esm",
  minify: true,
  target: ["es2022"],
  chunkNames: "kept/[name]-[hash]",
  assetNames: "kept/[name]-[hash]",
  loader: { ".woff2": "file" },
  legalComments: "linked",
  logLevel: "warning",
  metafile: true,
});

const licences = [
  ["@fontsource-variable/figtree/LICENSE", "figtree-licence.txt"],
  ["@fontsource/instrument-serif/LICENSE", "instrument-serif-licence.txt"],
  ["photoswipe/LICENSE", "lightbox/lightbox-licence.txt"],
  ["swagger-ui-dist/LICENSE", "docs/viewer-licence.txt"],
];
for (const [from, to] of licences) await cp(here(`../node_modules/${from}`), join(dist, "assets", to));

// The page's script names the chunks it imports only once it is there: the document names them at once.
const [, page] = Object.entries(metafile.outputs).find(([path]) => path.endsWith("assets/page.js"));
const chunks = page.imports.filter(({ kind }) => kind === "import-statement");
const links = chunks.map(({ path }) => `<link rel="modulepreload" href="/assets/kept/${basename(path)}">`);
const document = join(dist, "index.html");
const text = await readFile(document, "utf8");
await writeFile(document, text.replace("</head>", `  ${links.join("\n    ")}\n  </head>`));
