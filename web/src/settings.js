// The settings of this site, as the document brings them.

import { siteOf } from "./site.js";

export const site = siteOf(document.getElementById("site")?.textContent ?? "", document.baseURI);
