importScripts("/pyodide/pyodide.js", "/runner.js");

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ answer: await execute(data.program, data.names) });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
