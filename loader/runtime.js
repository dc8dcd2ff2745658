// Page side: the runtime. The only module that knows Pyodide.

/** Whether the page can run WebAssembly; without 'wasm-unsafe-eval' Pyodide's start never settles. */
export const canRun = () => {
  try {
    return !!new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  } catch {
    return false;
  }
};

/** Download a file without getting into the page's way. */
const download = async (address) => {
  const answer = await fetch(address, { priority: 'low' }).catch((error) => ({ status: error }));
  if (answer.ok) return answer.arrayBuffer();
  throw `${address}: ${answer.status}`;
};

/** Start Python on the page's own thread. Resolves to the core (tracker/bridge.py). */
export const start = async (base, send) => {
  const folder = base + __PYODIDE__;
  // Pyodide fetches its files with high priority, and hangs if one is missing. So all of them are
  // in the browser's cache before it starts.
  const files = ['pyodide.mjs', 'pyodide.asm.mjs', 'pyodide.asm.wasm', 'python_stdlib.zip'];
  const [wheel] = await Promise.all(
    [base + __WHEEL__, ...files.map((file) => folder + file)].map(download),
  );
  const { loadPyodide } = await import(folder + files[0]);
  const python = await loadPyodide({ indexURL: folder });
  python.FS.writeFile('/tracker.whl', new Uint8Array(wheel));
  python.runPython('import sys; sys.path.insert(0, "/tracker.whl")');
  return python.pyimport('tracker.bridge').start(window, send);
};
