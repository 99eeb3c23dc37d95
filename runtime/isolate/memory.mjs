// Caps and counts the WebAssembly memory of Pyodide, in an isolate as in Node.

// @ts-nocheck the platform's types do not hold where its globals are replaced

const PAGE = 65536;

const memories = new Set();

/** WebAssembly memory in use, in bytes; it never shrinks. */
export function heapBytes() {
  return [...memories].reduce((total, memory) => total + memory.buffer.byteLength, 0);
}

/** Forgets the memories of an interpreter that died; no other reference may remain, or they are never freed. */
export function dropHeaps() {
  memories.clear();
}

/** Makes growth past `limit` bytes fail, which Python sees as MemoryError. Must run before Pyodide is loaded. */
export function capMemory(limit) {
  // Pyodide has a second memory of one page.
  const most = Math.floor(limit / PAGE) - 1;
  capConstructed(most);
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const instantiate = WebAssembly[name];
    WebAssembly[name] = async (...args) => {
      const result = await instantiate(...args);
      for (const value of Object.values((result.instance ?? result).exports)) capExported(value, most);
      return result;
    };
  }
}

/** For Pyodide 0.28, whose memory is made in JavaScript. */
function capConstructed(most) {
  const OriginalMemory = WebAssembly.Memory;
  WebAssembly.Memory = function Memory(descriptor) {
    const maximum = Math.min(descriptor.maximum ?? most, most);
    const memory = new OriginalMemory({ ...descriptor, maximum });
    memories.add(memory);
    return memory;
  };
  WebAssembly.Memory.prototype = OriginalMemory.prototype;
}

/** For Pyodide 314, whose module exports a memory of its own; all growth goes through its `grow`. */
function capExported(memory, most) {
  if (!(memory instanceof WebAssembly.Memory) || memories.has(memory)) return;
  memories.add(memory);
  const grow = memory.grow.bind(memory);
  memory.grow = (pages) => {
    if (memory.buffer.byteLength / PAGE + pages > most) throw new RangeError("the memory would exceed its limit");
    return grow(pages);
  };
}
