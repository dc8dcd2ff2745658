// Page side: may anything be downloaded or written at all (S13)? The table comes from privacy.py.
import { cookie } from './stored.js';

/** The option through which the visitor refuses to be tracked, undefined if none does. */
export const refusedBy = (options) =>
  __PRECHECK__.signals.find((signal) => {
    const value = options[signal.option] ?? options[signal.default];
    return (
      value &&
      signal.sources.some(([place, member]) =>
        place == 'cookie'
          ? cookie(value)
          : signal.refuse.includes(String((place == 'navigator' ? navigator : window)[member])),
      )
    );
  })?.option;

/** Whether calls may be kept in local storage until the core is there. */
export const mayKeep = (options) =>
  __PRECHECK__.keep.every(
    ([option, values]) => options[option] == null || values.includes(options[option]),
  );
