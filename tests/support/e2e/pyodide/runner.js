// Loads Pyodide and micropip from this origin, and runs a Python program with names set.
async function execute(program, names) {
  const pyodide = await loadPyodide({ indexURL: "/pyodide/" });
  const wheels = await (await fetch("/wheels/")).json();
  await pyodide.loadPackage(wheels.filter((name) => name.startsWith("micropip-")).map((name) => `/wheels/${name}`));
  pyodide.globals.set("wheel", wheels.find((name) => name.startsWith("vfa_gallery_client-")));
  pyodide.globals.set("names", pyodide.toPy(names));
  return pyodide.runPythonAsync(program);
}
