// Page side: the ES module of the npm package. It may be imported where there is no page.
import { create } from './snippet.js';

const NAME = 'cioanalytics';

/** What there is on a server: the same methods, which do nothing. */
const absent = () => {
  const entity = { id: () => null, anonymousId: () => null, traits: () => ({}), logout: () => {}, reset: () => {} };
  const chained = { on: 1, once: 1, off: 1, emit: 1, debug: 1, push: 1 };
  const proxy = new Proxy(() => {}, {
    get: (_, name) => {
      if (name == 'then' || typeof name == 'symbol') return; // no promise
      if (name == 'user' || name == 'group') return () => entity;
      return () => (chained[name] ? proxy : Promise.resolve(null));
    },
  });
  return proxy;
};

/**
 * Load the tracker and answer its global object; calls are kept from here on. `base` is where the folder `assets` of this
 * package is hosted. Another call answers the same object.
 */
export const load = (writeKey, options = {}, base = '/web-' + __VERSION__ + '/') => {
  if (typeof document == 'undefined') return absent();
  const target = create(NAME, base.replace(/\/?$/, '/start.js'));
  if (target) return target.load(writeKey, options), target;
  return window[NAME];
};
