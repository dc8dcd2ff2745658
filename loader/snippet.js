// Page side: what site owners paste. Makes the global object and, on load, fetches the loader.
import { attach } from './stub.js';

/** The global object with its methods, or nothing if the page has it already. */
export const create = (name, address) => {
  if (window[name]?.initialize) return;
  if (window[name]?.invoked) {
    console.error('Snippet included twice.');
    return;
  }
  const target = (window[name] = attach(window[name] || {}));
  target.invoked = true;
  const load = target.load;
  target.load = (...args) => {
    const script = document.createElement('script');
    script.async = true;
    script.src = address;
    script.dataset.globalAnalyticsKey = name;
    document.head.append(script);
    return load(...args);
  };
  return target;
};
