// Page side: makes the global object work. Reads top to bottom: names, privacy, messages, life, start.
// Built twice: loader.js for the script tag, start.js for the snippet, which is the stub already.
import { attach, nothing } from './stub.js';
import { freeze } from './capture.js';
import { mayKeep, refusedBy, saidBy } from './precheck.js';
import { forget, keyOf, local, parsed, tried } from './stored.js';
import { canRun, start } from './runtime.js';

const script = document.currentScript;
const {
  writeKey,
  options: json,
  initialPageview: pageview,
  globalAnalyticsKey = 'cioanalytics',
  ...data
} = script.dataset;
const base = new URL('.', script.src).href;
// methods in extras.js, those of older clients among them
const EXTRAS =
  'trackLink trackClick trackForm trackSubmit pageview init log addIntegrationMiddleware ' +
  'listeners addEventListener removeAllListeners removeListener removeEventListener ' +
  'hasListeners add addIntegration use';
const HOOKS = 'load unload ready track page screen identify group alias';
const KEPT = 'cioCalls';
const SLICE = 8; // calls handed to the core in one go

const starts = (call) => /"method":"(load|newTracker)"/.test(call);

const target = __ALONE__
  ? (window[globalAnalyticsKey] = attach(window[globalAnalyticsKey] || {}))
  : window[globalAnalyticsKey];

/** What the core gets to know of a plugin; its functions stay here. */
const describe = (plugin) => ({
  name: plugin?.name,
  type: plugin?.type,
  hooks: HOOKS.split(' ').filter((name) => typeof plugin?.[name] == 'function'),
});

if (!target.initialize) {
  target.initialize = target.invoked = true; // a second copy of the script or the snippet does nothing
  target.VERSION = __VERSION__;
  const state = target._;
  let core, scheduled, begun;
  let answers = {};

  const warn = (message, detail) => {
    console.warn('cioanalytics: ' + detail);
    target.emit('error', { message, detail });
  };

  // ---- listeners, and what few pages need -----------------------------------------------------

  const listeners = {};
  target.on = (name, listener) => ((listeners[name] ||= []).push(listener), target);
  target.once = (name, listener) => {
    const once = (...args) => (target.off(name, once), listener(...args));
    once.of = listener;
    return target.on(name, once);
  };
  target.off = (name, listener) => {
    listeners[name] = listeners[name]?.filter((each) => each != listener && each.of != listener);
    return target;
  };
  target.emit = (name, ...args) => {
    for (const listener of [...(listeners[name] || [])]) {
      try {
        listener.apply(target, args);
      } catch (error) {
        console.error(error); // a listener must not stop the others
      }
    }
    return target;
  };
  target.register = (...plugins) => state.call('register', plugins.map(describe), plugins);

  const extras = () => import(base + __EXTRAS__);
  for (const name of EXTRAS.split(' ')) {
    target[name] = (...args) => {
      extras().then(
        ({ later }) => later(target, name, args),
        (error) => warn('Start failed', error),
      );
      return target;
    };
  }
  for (const [method, args, done] of state.x.splice(0)) {
    const answer = target[method](...args);
    done?.(answer);
  }

  // ---- messages -------------------------------------------------------------------------------

  const receive = (text) => {
    const message = JSON.parse(text);
    const { type, id, name, args, value, error } = message;
    if (type == 'emit') return target.emit(name, ...args);
    if (type == 'run') {
      return extras()
        .then(({ run }) => run(target, state.f, message))
        .catch((error) => ({ id, error: '' + error }))
        .then((answer) => core.post(`{"answers":${freeze([answer])}}`));
    }
    if (type == 'callback') {
      try {
        state.f[id](...args);
      } catch (thrown) {
        console.error(thrown);
      }
      delete state.f[id];
    } else if (state.p[id]) {
      const [resolve, reject] = state.p[id];
      delete state.p[id];
      if (error) {
        delete state.f[id];
        reject(Object.assign(new Error(error.message), error));
      } else resolve(value);
    }
  };

  // all calls, or a few of them to keep the page's thread free
  const flush = (number = Infinity) => {
    if (!core || !state.q.length) return;
    answers = {};
    core.post('{"calls":[' + state.q.splice(0, number) + ']}');
  };

  const drain = () => {
    flush(SLICE);
    scheduled = state.q.length && (soon(drain) || 1);
  };

  const soon = (work) =>
    window.scheduler?.postTask
      ? scheduler.postTask(work, { priority: 'background' })
      : (window.requestIdleCallback || setTimeout)(work);

  // An answer holds until a call is made, or somebody else changes a cookie or the stored copy.
  const stamp = (method) => tried(() => document.cookie) + local(keyOf(method, state.o));
  const ask = (method, args) => {
    flush();
    let known = !args.length && method.includes('.') && answers[method];
    if (!known || known.stamp != stamp(method)) {
      const json = core.ask(`{"method":"${method}","args":${freeze(args)}}`);
      if (args.length) answers = {};
      known = answers[method] = { json, stamp: stamp(method) };
    }
    return JSON.parse(known.json).value ?? nothing(method);
  };

  // ---- life -----------------------------------------------------------------------------------

  const byId = (calls) => Object.fromEntries(calls.map((call) => [JSON.parse(call).id, call]));

  const takeKept = () =>
    tried(() => {
      const calls = byId(JSON.parse(localStorage[KEPT]));
      delete localStorage[KEPT];
      return calls;
    });

  // what the core could not take over waits for it on the next page
  const leave = () => {
    flush();
    if (core || refuses() || !mayKeep(state.o)) return;
    const mine = state.q.filter((call) => !starts(call));
    const kept = mine.map((call) => call.slice(0, -1) + ',"kept":true}');
    tried(() => {
      const calls = Object.values({ ...takeKept(), ...byId(kept) });
      if (calls.length) localStorage[KEPT] = JSON.stringify(calls.slice(-1000));
    });
  };

  // ---- start ----------------------------------------------------------------------------------

  // early privacy calls hold before anything is downloaded, read or written (D9)
  const refuses = () => {
    const options = state.o;
    for (const call of state.q) Object.assign(options, saidBy(JSON.parse(call)));
    const refused = state.off || refusedBy(options);
    if (refused && !state.off) {
      state.off = true;
      for (const id in state.p) state.p[id][0](null);
      state.p = {};
      state.q = [];
      tried(() => forget(options));
      console.info(`cioanalytics: nothing is tracked, because of ${refused}.`);
    }
    return refused;
  };

  const boot = async () => {
    if (refuses()) return;
    if (navigator.connection?.saveData && state.o.saveData != 'load')
      return warn('Save-Data', "the visitor saves data and option saveData is 'skip': calls wait.");
    if (!canRun())
      return warn('No WebAssembly', "no WebAssembly, or the CSP lacks 'wasm-unsafe-eval': calls wait.");
    try {
      const bridge = await start(base, receive);
      if (mayKeep(state.o)) state.q = Object.values({ ...takeKept(), ...byId(state.q) });
      core = bridge;
      state.ask = ask;
      delete target.load;
      flush();
    } catch (error) {
      warn('Start failed', `${error}: calls wait. Is ${base} complete?`);
    }
  };

  const begin = () => {
    begun = true;
    const { o: options } = state;
    if (refuses()) return;
    addEventListener('pagehide', leave);
    document.addEventListener('visibilitychange', leave);
    if (options.globalAnalyticsKey) window[options.globalAnalyticsKey] ||= target;
    if (options.alias === true) window.analytics ||= target;
    if (document.readyState == 'complete') soon(boot);
    else addEventListener('load', () => soon(boot));
  };

  state.wake = (method) => {
    if (!begun) {
      if (starts(`"method":"${method}"`)) begin();
    } else if (core && !scheduled) scheduled = soon(drain) || 1;
  };

  if (window.GlobalSnowplowNamespace) extras().then(({ adopt }) => adopt(target, state));
  if (state.q.some(starts)) begin();
  else if (writeKey) {
    const given = json ? parsed(json) : {};
    if (Object(given) !== given) {
      warn('Invalid data-options', `attribute data-options is ${json}; allowed: a JSON object.`);
    }
    const { initialPageview, ...options } = { ...given };
    for (const name in data) options[name] = parsed(data[name]) ?? data[name];
    target.load(writeKey, options);
    if (pageview !== 'false' && initialPageview !== false) target.page();
  }
}
