// Remembers every WebAssembly memory of an isolate; import it before the libraries whose memory is asked for.

const memories = new Set();
const Instance = WebAssembly.Instance;

WebAssembly.Instance = function (module, imports) {
  const instance = new Instance(module, imports);
  for (const value of Object.values(instance.exports)) {
    if (value instanceof WebAssembly.Memory) memories.add(value);
  }
  return instance;
};
WebAssembly.Instance.prototype = Instance.prototype;

/** Bytes of WebAssembly memory, which never shrinks. */
export function heapBytes() {
  return [...memories].reduce((total, memory) => total + memory.buffer.byteLength, 0);
}
