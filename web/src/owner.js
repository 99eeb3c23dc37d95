// What only its owner does to an artwork: changing what is said of it, getting its original, taking it down.

import { notify } from "./announce.js";
import { ApiError, changeArtwork, deleteArtwork, readArtwork, refreshAccount } from "./api.js";
import { openDialog } from "./dialogs.js";
import { h } from "./dom.js";
import { altField, detailFields, titleField, valuesOf } from "./fields.js";

/** @typedef {import("./api.js").Artwork} Artwork */

/**
 * Resolves to the changed artwork, or to null when nothing was changed.
 * @param {Artwork} artwork
 * @param {string | null} etag of the version that is being changed
 * @param {() => void} reread called when somebody else changed it in the meantime
 */
export async function editArtwork(artwork, etag, reread) {
  /** @type {import("./api.js").Read | null} */
  let changed = null;
  await openDialog({
    heading: "Edit the details",
    action: "Save",
    draft: `edit:${artwork.id}`,
    content: [titleField(artwork.title), altField(artwork.altText), detailFields(artwork)],
    submit: async (form) => {
      changed = await changeArtwork(artwork.id, valuesOf(form), etag).catch((error) => {
        if (!(error instanceof ApiError) || error.status !== 412) throw error;
        reread();
        throw new Error(
          "Somebody changed this artwork in the meantime. Close this, look at it again, then repeat your change.",
        );
      });
    },
  });
  return /** @type {import("./api.js").Read | null} */ (changed);
}

/**
 * Opens the original in a window of its own. Leave to download is short-lived, so it is asked for anew.
 * @param {{username: string, slug: string}} address
 */
export async function openOriginal({ username, slug }) {
  // After an await a browser would take it for a window that nobody asked for.
  const page = open("", "_blank");
  try {
    if (!page) throw new Error("The browser did not allow another window.");
    page.opener = null;
    const { artwork } = await readArtwork(username, slug);
    if (artwork.originalReplaced) throw new Error("Another file has taken the place of the original.");
    const url = artwork.originalDownloadUrl ?? artwork.originalUrl;
    if (!url) throw new Error("Your session has ended. Please sign in again.");
    page.location.replace(url);
  } catch (error) {
    page?.close();
    notify(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Resolves to true once the artwork is gone.
 * @param {Artwork} artwork
 */
export async function removeArtwork(artwork) {
  const gone = await openDialog({
    heading: "Delete this artwork?",
    action: "Delete",
    danger: true,
    content: [
      h("p", { dir: "auto" }, `“${artwork.title}”, its original and its three renditions are removed for good.`),
    ],
    submit: () => deleteArtwork(artwork.id),
  });
  if (gone) await refreshAccount().catch(() => undefined);
  return gone;
}
