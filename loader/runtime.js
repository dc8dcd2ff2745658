// Both sides: the runtime. The only module that knows Pyodide.
import { forget, read, write } from './snapshot.js';

const named = (address, work) =>
  work.catch((error) => {
    throw `${address}: ${error}`;
  });

/** Download a file without getting into the page's way. */
const download = (address, read = (answer) => answer.arrayBuffer()) =>
  named(
    address,
    fetch(address, { priority: 'low' }).then((answer) => {
      if (!answer.ok) throw answer.status;
      return read(answer);
    }),
  );

/** Compile WebAssembly while it arrives, if the server says what it is. */
const compile = async (answer) =>
  /wasm/.test(answer.headers.get('Content-Type'))
    ? WebAssembly.compileStreaming(answer)
    : WebAssembly.compile(await answer.arrayBuffer());

let made; // the memory of a Python that has just started, to start from next time

const load = async (base, image) => {
  const folder = base + __PYODIDE__;
  const stdLibURL = base + __LIBRARY__;
  const script = (name) => named(folder + name, import(folder + name));
  // Pyodide hangs if a file is missing. So all of them are there before it starts.
  const [{ loadPyodide }, glue, wasm, core] = await Promise.all([
    script('pyodide.mjs'),
    script('pyodide.asm.mjs'),
    download(folder + 'pyodide.asm.wasm', compile),
    image || download(base + __CORE__),
    download(stdLibURL),
  ]);
  const mark = Symbol();
  const instantiateWasm = (imports, done) => {
    // what Pyodide itself adds, in its form without WebAssembly.Exception
    imports.env.Jsv_GetError_import = () => mark;
    imports.env.JsvError_Check = (value) => value === mark;
    WebAssembly.instantiate(wasm, imports).then((instance) => done(instance, wasm));
    return {};
  };
  self.WasmOffsetConverter = 1; // where this is there, Pyodide does not fetch the file once more
  const python = await loadPyodide({
    indexURL: folder,
    stdLibURL,
    lockFileContents: __LOCK__,
    createPyodideModule: (settings) => glue.default(Object.assign(settings, { instantiateWasm })),
    ...(image ? { _loadSnapshot: image } : { _makeSnapshot: !self.document }),
  });
  delete self.WasmOffsetConverter;
  if (image) python.runPython('import random; random.seed()');
  else {
    python.FS.writeFile('/core.zip', new Uint8Array(core));
    python.runPython('import sys; sys.path.insert(0, "/core.zip"); import tracker.bridge');
    if (!self.document) made = python.makeMemorySnapshot();
  }
  const bridge = python.pyimport('tracker.bridge');
  bridge.know(base + __RUNNER__, base + __PLUGINS__);
  return bridge;
};

/** Start Python on this thread. Resolves to the module tracker.bridge. */
export const start = async (base) => {
  const image = await read(base);
  try {
    return await load(base, image);
  } catch (error) {
    if (!image) throw error;
    await forget(); // it was no good
    return load(base);
  }
};

/** Keep what the next visit can start from; only where the page says that state may be kept. */
export const keep = (base) => made && write(base, made).finally(() => (made = null));
