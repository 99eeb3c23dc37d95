// Files that are dropped or pasted anywhere on the page.

/** @param {(files: File[]) => void} take */
export function catchFiles(take) {
  document.addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    take(files);
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    const typing = event.target instanceof Element && event.target.closest("input, textarea");
    if (files.length > 0 && !typing) take(files);
  });
}
