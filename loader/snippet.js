// Page side: what site owners paste. Makes the global object and, on load, fetches the loader.
import { attach } from './stub.js';

/** The global object with its methods, or nothing if the page has it already. */
export const create = (name, address) => {
  const target = (window[name] ||= {});
  if (target.initialize) return;
  if (target.invoked) {
    console.error('Snippet included twice.');
    return;
  }
  target.invoked = true;
  attach(target);
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
