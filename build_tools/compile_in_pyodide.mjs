// node compile_in_pyodide.mjs WHEEL LIBRARY CORE PLUGINS: runs compile_in_pyodide.py and writes the latter three.
import { readFileSync, writeFileSync } from 'node:fs';
import { loadPyodide } from 'pyodide';

const [wheel, library, core, plugins] = process.argv.slice(2);
const python = await loadPyodide();
python.FS.writeFile('/tracker.whl', readFileSync(wheel));
const script = readFileSync(new URL('compile_in_pyodide.py', import.meta.url), 'utf8');
python.runPython(script, { filename: 'compile_in_pyodide.py' });
const write = (file, make) => {
  const bytes = python.globals.get(make)();
  writeFileSync(file, bytes.toJs());
  bytes.destroy();
};
write(library, 'library');
write(core, 'core');
write(plugins, 'plugins');
