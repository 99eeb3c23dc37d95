// How much memory JavaScript holds in an isolate: V8's inspector knows, and nobody else.

const ANSWER_MS = 30_000;

/** Bytes of V8's heap and of buffers beside it (WebAssembly's memory not among them), garbage included. */
export function javascriptBytes(inspector, worker) {
  const socket = new WebSocket(new URL(`/core:user:${worker}`, inspector));
  return new Promise((done, refuse) => {
    const late = setTimeout(() => refuse(new Error(`${worker} does not tell its memory`)), ANSWER_MS);
    socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: "Runtime.getHeapUsage" }));
    socket.onerror = () => refuse(new Error(`${worker} has no inspector`));
    socket.onmessage = ({ data }) => {
      const { id, result } = JSON.parse(data);
      if (id !== 1) return;
      clearTimeout(late);
      done(result.usedSize + result.backingStorageSize);
    };
  }).finally(() => socket.close());
}
