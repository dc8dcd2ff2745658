// Page side: the global object. Every public method is there from the first line on; calls are
// kept in call order. The snippet makes it, the loader makes the same object work.
import { freeze, page } from './capture.js';
import { stored } from './stored.js';

const METHODS =
  'load track page screen identify group alias reset ready debug timeout addSourceMiddleware ' +
  'addDestinationMiddleware deregister queryString';
const LATER = 'trackLink trackClick trackForm trackSubmit pageview';
const HOOKS = 'load unload ready track page screen identify group alias';
const GETTERS = { user: ['id', 'anonymousId', 'traits'], group: ['id', 'traits'] };
const CAPACITY = 1000;

/** What the core gets to know of a plugin; its functions stay here. */
const describe = (plugin) => ({
  name: plugin?.name,
  type: plugin?.type,
  hooks: HOOKS.split(' ').filter((name) => typeof plugin?.[name] == 'function'),
});

/** What a getter answers if there is nothing. */
export const nothing = (method) => (method.endsWith('traits') ? {} : null);

/**
 * Give `target` the public methods. `target._` is the state that snippet and loader share:
 * q (calls as JSON), p (what settles them, by id), f (functions, by id), l (listeners), x (calls for
 * extras.js), o (options of load), i and n (what ids are made of), off (tracking is refused); later,
 * wake and ask are set by the loader.
 */
export const attach = (target) => {
  const state = (target._ ||= {
    q: [],
    p: {},
    f: {},
    l: {},
    x: [],
    n: 0,
    i: Date.now().toString(36) + Math.random().toString(36).slice(1),
  });
  const fail = (message, detail) => target.emit('error', { message, detail });

  const call = (method, args, functions) =>
    new Promise((resolve, reject) => {
      if (state.off) return resolve();
      if (state.q.length >= CAPACITY && method != 'load') {
        fail('Too many calls', `${method}: ${CAPACITY} calls wait for the tracker; it is dropped.`);
        return resolve();
      }
      const id = state.i + '-' + state.n++;
      const fn = args.findIndex((arg) => typeof arg == 'function');
      let json;
      try {
        json = freeze(args);
      } catch (error) {
        // an argument that cannot be read: what can be is kept
        json = JSON.stringify(args.map((arg) => (typeof arg == 'string' ? arg : null)));
        fail('Unreadable arguments', method + ': ' + error);
      }
      const head = { id, method, at: Date.now(), page: page() };
      if (fn >= 0) {
        head.fn = fn;
        state.f[id] = args[fn];
      }
      if (functions) state.f[id] = functions;
      state.p[id] = [resolve, reject];
      state.q.push(JSON.stringify(head).slice(0, -1) + ',"args":' + json + '}');
      if (method == 'load') state.o = Object(args[1]);
      if (state.wake) state.wake(method);
    });

  // nobody has to handle the rejection of a call
  const quiet = (promise) => {
    promise.catch(() => {});
    return promise;
  };

  const ask = (method, args) => {
    if (state.ask) return state.ask(method, args);
    if (args.length && args[0] !== undefined) {
      quiet(call(method, args));
      return args[0];
    }
    return state.off ? nothing(method) : stored(method, state.o);
  };

  const entity = (kind) => {
    const methods = {};
    for (const name of GETTERS[kind]) methods[name] = (...args) => ask(kind + '.' + name, args);
    for (const name of ['logout', 'reset'])
      methods[name] = () => quiet(call(kind + '.' + name, []));
    return methods;
  };

  for (const method of METHODS.split(' ')) target[method] = (...args) => quiet(call(method, args));
  for (const method of LATER.split(' '))
    target[method] = (...args) => {
      if (state.later) state.later(method, args);
      else state.x.push([method, args]);
      return target;
    };
  target.register = (...plugins) => quiet(call('register', plugins.map(describe), plugins));
  const group = target.group;
  target.user = () => entity('user');
  target.group = (...args) => (args.length ? group(...args) : entity('group'));
  target.setAnonymousId = (...args) => ask('setAnonymousId', args);
  target.debug = (...args) => (quiet(call('debug', args)), target);
  target.push = ([method, ...args]) => target[method]?.(...args);

  target.on = (name, listener) => ((state.l[name] ||= []).push(listener), target);
  target.once = (name, listener) => {
    const once = (...args) => (target.off(name, once), listener(...args));
    once.of = listener;
    return target.on(name, once);
  };
  target.off = (name, listener) => {
    state.l[name] = (state.l[name] || []).filter((each) => each != listener && each.of != listener);
    return target;
  };
  target.emit = (name, ...args) => {
    for (const listener of [...(state.l[name] || [])]) {
      try {
        listener.apply(target, args);
      } catch (error) {
        console.error(error); // a listener must not stop the others
      }
    }
    return target;
  };
  return state;
};
