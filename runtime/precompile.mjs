// Compiles Python sources with the interpreter that will run them, so that an isolate need not at every start.

import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CACHE, digest, writeWhole } from "./cache.mjs";
import { bootFiles, inNode, version } from "./pyodide.mjs";

const TAG = "cpython-313";

// The flag says "unchecked": the isolate never compares the result with its source.
const COMPILE = `
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import source_hash

def compiled(source, path):
    source = source.to_bytes()
    try:
        code = compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    return _code_to_hash_pyc(code, source_hash(source), False)

compiled`;

let compiling;

async function compiler() {
  const snapshot = readFileSync(join(await bootFiles(), "snapshot.bin"));
  const compiled = (await inNode({ _loadSnapshot: snapshot })).runPython(COMPILE);
  return (source, path) => {
    const result = compiled(new Uint8Array(source), path);
    const bytes = result?.toJs() ?? new Uint8Array();
    result?.destroy();
    return bytes;
  };
}

/** `[{path, bytes}]` of the bytecode for every Python file of a Worker whose files lie in `root`; broken sources are left out. */
export async function precompiled(files, root) {
  const made = [];
  for (const { path, bytes } of files) {
    if (!path.endsWith(".py")) continue;
    const kept = join(CACHE, "bytecode", `${digest(version, root, path, bytes)}.pyc`);
    if (!existsSync(kept)) {
      const compile = await (compiling ??= compiler());
      // Another Worker with the same file may have come first.
      if (!existsSync(kept)) writeWhole(kept, compile(bytes, `${root}/${path}`));
    }
    const bytecode = readFileSync(kept);
    if (bytecode.length > 0) {
      made.push({ path: join(dirname(path), "__pycache__", `${basename(path, ".py")}.${TAG}.pyc`), bytes: bytecode });
    }
  }
  return made;
}
