// Page side, fetched only by pages that use it: links and forms, plugins and middleware, what
// Snowplow trackers need, and the methods that older clients had.
import { work } from './snowplow.js';
export { adopt } from './snowplow.js';

const DETAILS = {
  'Save-Data': "the visitor saves data and option saveData is 'skip': calls wait.",
  'No WebAssembly': "no WebAssembly, or the CSP lacks 'wasm-unsafe-eval': calls wait.",
  'Invalid data-options': (json) => `attribute data-options is ${json}; allowed: a JSON object.`,
  'Start failed': (why, base) => `${why}calls wait. Is ${base} complete?`,
  'Host failed': (why, base) => `${why}. Is ${base} complete?`,
};

/** What is said with a message; `given` is what is known of the cause. */
export const told = (message, given, base) => {
  const detail = DETAILS[message];
  return detail?.call ? detail(given, base) : detail || given;
};

/** One element, or a list of them (array, NodeList, jQuery); nothing for null. */
const elements = (target, method, given) => {
  const list = !given ? [] : given.addEventListener ? [given] : Array.from(given);
  return list.filter((element) => {
    if (element instanceof Element) return true;
    const detail = `${method}: ${element} is no element; allowed: an element or a list of them. See docs/api.md#links-and-forms`;
    console.error('cioanalytics: ' + detail);
    target.emit('error', { message: 'Must pass HTMLElement to ' + method, detail });
  });
};

// The event is safe when the listener returns: what the core has not taken over when the page goes
// waits for the next page. So the browser follows the link or submits the form as it always does.
const track = (on) => (target, method, given, event, properties, options) => {
  for (const element of elements(target, method, given)) {
    const value = (of) => (typeof of == 'function' ? of(element) : of);
    element.addEventListener(on, () => target.track(value(event), value(properties), options), true);
  }
};

const methods = {
  trackLink: track('click'),
  trackClick: track('click'),
  trackForm: track('submit'),
  trackSubmit: track('submit'),
  pageview: (target, method, path) => {
    console.warn("cioanalytics.pageview is deprecated: call page({ path: '…' }).");
    target.page({ path });
  },
};

/** Run one of these methods; names that are none of them were methods of older clients. */
export const later = (target, method, args) => {
  if (methods[method]) methods[method](target, method, ...args);
  else console.warn(`cioanalytics.${method} is deprecated and does nothing. See docs/api.md#deprecated`);
};

// ---- functions that the core asks for ----------------------------------------------------------

const setPath = (object, path, value) => {
  const names = path.split('.');
  const last = names.pop();
  for (const name of names) object = object[name] ??= {};
  object[last] = value;
};

/** What a plugin's hooks get, as far as it means something here. */
class Context {
  constructor(event) {
    Object.assign(this, { event, id: event.messageId, attempts: 1 });
  }
  updateEvent(path, value) {
    setPath(this.event, path, value);
    return this.event;
  }
  cancel(reason) {
    throw { cancel: String(reason?.reason ?? reason?.message ?? reason ?? 'cancelled') };
  }
  log(level, message) {
    console.log(`cioanalytics ${level}: ${message}`);
  }
  logs() {
    return [];
  }
}

const hook = async (target, plugin, name, [event]) => {
  if (!event) return plugin[name](undefined, target);
  const context = new Context(event);
  const given = await plugin[name](context, target);
  return { event: (given?.event ? given : context).event };
};

const middleware = async (work, [obj, integrations]) => {
  let value = { next: 'none' };
  const next = (payload) => {
    value = payload ? { next: 'payload', obj: payload.obj } : { next: 'null' };
  };
  await work({ payload: { type: obj.type, obj }, integrations, next });
  return value;
};

/** The answer to a `run` message: `{id, value}`, `{id, error}` or `{id, cancel}`. */
export const run = async (target, functions, message) => {
  const { id, call, plugin, hook: name, args } = message;
  const given = functions[call];
  try {
    if (!call) return { id, value: await work(target, functions, message) };
    const value = name ? await hook(target, given[plugin], name, args) : await middleware(given, args);
    return { id, value };
  } catch (error) {
    return error?.cancel ? { id, cancel: error.cancel } : { id, error: String(error?.message ?? error) };
  }
};
