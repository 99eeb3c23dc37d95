// Modules that runtime/pyodide.mjs adds to a Worker.

declare module "*/boot.py" {
  const source: string;
  export default source;
}

declare module "*/bundle.bin" {
  const bytes: ArrayBuffer;
  export default bytes;
}

declare module "*/manifest.mjs" {
  const manifest: { files: { path: string; offset: number; length: number }[]; main: string; lock: string };
  export default manifest;
}

declare module "*/pyodide.mjs" {
  // biome-ignore lint/suspicious/noExplicitAny: the isolate uses internals that Pyodide's own types leave out
  export function loadPyodide(options: object): Promise<any>;
}

declare module "*/pyodide.asm.mjs" {
  const createPyodideModule: object | undefined;
  export default createPyodideModule;
}
