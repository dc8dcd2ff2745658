// Page side: may anything be downloaded or written at all (S13)? The table comes from privacy.py.
import { cookie, tried } from './own.js';

/** The option through which the visitor refuses to be tracked, undefined if none does. */
export const refusedBy = (options) =>
  __PRECHECK__.signals.find(({ option, default: other, sources, refuse }) => {
    const value = options[option] ?? options[other];
    const said = sources.map(([place, member]) =>
      place == 'cookie' ? value && cookie(value) : (place == 'window' ? window : navigator)[member],
    );
    const first = String(said.find(Boolean) || '');
    return value && first && (!refuse || refuse.includes(first));
  })?.option;

/** The options that an early call stands for. */
export const saidBy = ({ method, args: [given] }) => {
  const said = {};
  for (const [option, member, otherwise] of __PRECHECK__.calls[method] || []) {
    const value = member ? (given?.[member] ?? otherwise) : given;
    if (value !== undefined) said[option] = value;
  }
  return said;
};

/** Whether calls may be kept in local storage until the core is there. */
export const mayKeep = (options) =>
  __PRECHECK__.keep.every(
    ([option, values]) => options[option] == null || values.includes(options[option]),
  );

/** Whether the page can run WebAssembly; without 'wasm-unsafe-eval' Pyodide's start never settles. */
export const canRun = () => tried(() => new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)));
