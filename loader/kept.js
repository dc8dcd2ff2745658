// Page side: all that the tracker keeps in the browser, by name.
import { keyOf, names } from './own.js';

/** Those of `keys` under which the tracker keeps something. */
export const ours = (options, keys, wide) => {
  const known = Object.keys(names).map((what) => keyOf(what, options));
  const prefix = options.snowplow?.cookieName || options.cookieName || '_sp_';
  return keys.filter(
    (name) =>
      known.includes(name) ||
      new RegExp(__PRECHECK__.keys).test(name) ||
      ((wide || name.startsWith(prefix)) && /((id|ses)\.[0-9a-f]{4}(\.expires)?|_tab_id)$/.test(name)),
  );
};

/** Take all that the tracker keeps out of the browser, if anything is there. */
export const forget = (options) => {
  for (const name of ours(options, document.cookie.split(/=[^;]*;? ?/))) {
    const gone = name + '=; max-age=0; path=/';
    document.cookie = gone;
    // a.b.c, b.c and c
    for (let host = location.hostname; host; host = host.replace(/^[^.]*\.?/, ''))
      document.cookie = gone + '; domain=' + host;
  }
  for (const name of ours(options, Object.keys(localStorage))) delete localStorage[name];
  delete sessionStorage._sp_tab_id;
  window.caches?.delete('cioanalytics');
};
