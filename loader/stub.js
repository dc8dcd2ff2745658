// Page side: the global object. Every public method is there from the first line on; calls are
// kept in call order. The snippet makes it, the loader makes the same object work.
import { tools } from './tools.js';

const METHODS =
  'load track page screen identify group alias reset ready debug timeout addSourceMiddleware ' +
  'addDestinationMiddleware deregister queryString queue flush';
// what needs the loader: until it is there, these calls are only kept
const LATER = 'on once off emit trackLink trackClick trackForm trackSubmit pageview';
const GETTERS = { user: ['id', 'anonymousId', 'traits'], group: ['id', 'traits'] };
// names of Snowplow's methods: the core knows which of them there are
const SNOWPLOW = /^(track|[gs]et|(en|dis)able|add|remove|clear|new|update|discard|preserve|flush|cross)[A-Z]/;
const CAPACITY = 1000;

/**
 * Give `target` the public methods, and return it with those of Snowplow. `target._` is the state that snippet and loader share:
 * q (calls as JSON), p (what settles them, by id), f (functions, by id), x (calls for the loader),
 * o (options of load), t (tools), i and n (what ids are made of), off (tracking is refused), call (makes one);
 * wake, ask and note are set by the loader.
 */
export const attach = (target) => {
  const { freeze, nothing, page, stored } = tools;
  const state = (target._ ||= {
    q: [],
    p: {},
    f: {},
    x: [],
    n: 0,
    i: 'c' + Math.random() + Math.random(),
    t: tools,
  });

  const keys = new WeakMap();
  const mark = (fn) => {
    if (!keys.has(fn)) keys.set(fn, state.i + 'f' + state.n++);
    const key = keys.get(fn);
    state.f[key] = fn;
    return { $fn: key };
  };

  const call = (method, args, functions, marks = method == 'load', seen) => {
    const promise = new Promise((resolve, reject) => {
      const fail = (message, detail) => target.emit('error', { message, detail });
      if (state.off) return resolve(null);
      if (state.q.length >= CAPACITY && method != 'load') {
        fail('Too many calls', `${method} is dropped: ${CAPACITY} calls wait.`);
        return resolve(null);
      }
      const id = state.i + '-' + state.n++;
      const fn = args.findIndex((arg) => typeof arg == 'function');
      let json;
      try {
        json = freeze(args, marks && mark);
      } catch (error) {
        // an argument that cannot be read: what can be is kept
        json = JSON.stringify(args.map((arg) => (typeof arg == 'string' ? arg : null)));
        fail('Unreadable arguments', `${method}: ${error}`);
      }
      const head = { id, method, at: Date.now(), page: page(), ...seen, ...state.note?.(id, method, json) };
      if (fn >= 0 && !marks) head.fn = fn;
      if (functions || fn >= 0) state.f[id] = functions || args[fn];
      state.p[id] = [resolve, reject];
      state.q.push(JSON.stringify(head).slice(0, -1) + ',"args":' + json + '}');
      if (/^(load|newT)/.test(method)) state.o ||= { ...Object(args.at(-1)) };
      state.wake?.(method);
    });
    promise.catch(() => {}); // nobody has to handle the rejection of a call
    return promise;
  };
  state.call = call;

  const ask = (method, args) => {
    if (state.ask) return state.ask(method, args);
    if (args.length && args[0] !== undefined) {
      call(method, args);
      return args[0];
    }
    return state.off ? nothing(method) : stored(method, state.o);
  };

  const entity = (kind) => {
    const methods = {};
    for (const name of GETTERS[kind]) methods[name] = (...args) => ask(kind + '.' + name, args);
    for (const name of ['logout', 'reset']) methods[name] = () => call(kind + '.' + name, []);
    return methods;
  };

  for (const method of METHODS.split(' ')) target[method] = (...args) => call(method, args);
  for (const method of LATER.split(' '))
    target[method] = (...args) => (state.x.push([method, args]), proxy);
  target.register = (...args) => {
    const promise = new Promise((done) => state.x.push(['register', args, done])); // needs the loader
    promise.catch(() => {});
    return promise;
  };
  target.user = () => entity('user');
  target.group = (...args) => (args.length ? call('group', args) : entity('group'));
  target.setAnonymousId = (...args) => ask('setAnonymousId', args);
  target.debug = (...args) => (call('debug', args), proxy);
  target.push = ([method, ...args]) => proxy[method]?.(...args);
  const proxy = new Proxy(target, {
    get: (_, name) =>
      target[name] ??
      (SNOWPLOW.test(String(name))
        ? (...args) => (name[0] == 'g' ? ask(name, args) : call(name, args, 0, true))
        : void 0),
  });
  return proxy;
};
