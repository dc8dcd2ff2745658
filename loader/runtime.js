// Page side: the runtime. The only module that knows Pyodide.

/** Whether the page can run WebAssembly; without 'wasm-unsafe-eval' Pyodide's start never settles. */
export const canRun = () => {
  try {
    return !!new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  } catch {
    return false;
  }
};

/** Start Python on the page's own thread. Resolves to the core (tracker/bridge.py). */
export const start = async (base, send) => {
  const folder = base + __PYODIDE__;
  const preload = (address, as, rel = 'preload') => {
    const link = document.createElement('link');
    Object.assign(link, { rel, href: address, crossOrigin: 'anonymous', fetchPriority: 'low' });
    if (as) link.as = as;
    document.head.append(link);
  };
  preload(folder + 'pyodide.mjs', '', 'modulepreload');
  preload(folder + 'pyodide.asm.mjs', '', 'modulepreload');
  for (const file of ['pyodide.asm.wasm', 'python_stdlib.zip']) preload(folder + file, 'fetch');

  const wheel = fetch(base + __WHEEL__, { priority: 'low' }).then((answer) => {
    if (!answer.ok) throw new Error(`${answer.url}: HTTP ${answer.status}`);
    return answer.arrayBuffer();
  });
  wheel.catch(() => {}); // it is awaited below; until then a failure is no unhandled rejection
  const { loadPyodide } = await import(folder + 'pyodide.mjs');
  const python = await loadPyodide({ indexURL: folder });
  python.FS.writeFile('/tracker.whl', new Uint8Array(await wheel));
  python.runPython('import sys; sys.path.insert(0, "/tracker.whl")');
  return python.pyimport('tracker.bridge').start(window, send);
};
