// Page side, fetched with the first answer of the core: what it says, listeners, getters, and what
// happens when a worker ends.
import { AWAY } from './protocol.js';
import { views } from './views.js';

// methods in extras.js, those of older clients among them
const EXTRAS =
  'trackLink trackClick trackForm trackSubmit pageview init log addIntegrationMiddleware ' +
  'listeners addEventListener removeAllListeners removeListener removeEventListener ' +
  'hasListeners add addIntegration use';
const AGAIN_MS = 1000; // until a worker that ended is started once more
// calls that a worker needs again after a start; the others are done when they are answered
const DONE =
  /^{"id":"[^"]*","method":"(track|page|screen|identify|group|alias|reset|ready|user|setAnonymousId|que|newS|flush|clearU)/;

/** Listeners of `on` and `once`. */
const listening = (target) => {
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
};

/** The page's side of a core on its own thread: answers hold until a call is made or stores change. */
const near = (state, bridge, flush) => {
  const { freeze, keyOf, local, nothing, tried } = state.t;
  const stamp = (method) => tried(() => document.cookie) + local(keyOf(method, state.o));
  let answers = {};
  state.ask = (method, args) => {
    flush();
    let known = !args.length && method.includes('.') && answers[method];
    if (!known || known.stamp != stamp(method)) {
      const json = bridge.ask(`{"method":"${method}","args":${freeze(args)}}`);
      if (args.length) answers = {};
      known = answers[method] = { json, stamp: stamp(method) };
    }
    return JSON.parse(known.json).value ?? nothing(method);
  };
  const post = (text) => {
    answers = {};
    bridge.post(text);
  };
  return { post };
};

/** `me` is what loader.js shares: core, handed, base; boot, fall, flush, works. */
export const begin = (target, state, me) => {
  const { base, handed } = me;
  let lives = 2; // of workers
  let view;

  listening(target);
  const extras = () => import(base + __EXTRAS__);
  const warn = async (message, given) => {
    const detail = await extras().then(({ told }) => told(message, given, base), () => given || message);
    console.warn('cioanalytics: ' + detail);
    target.emit('error', { message, detail });
  };
  for (const name of EXTRAS.split(' ')) {
    target[name] = (...args) => {
      extras().then(
        ({ later }) => later(target, name, args),
        (error) => warn('Start failed', error),
      );
      return target;
    };
  }
  for (const [method, args] of state.x.splice(0)) target[method](...args);

  // a worker has done a call
  const settle = (id) => {
    const call = handed.get(id);
    handed.delete(id);
    if (call && !DONE.test(call)) handed.set(id, call.slice(0, -1) + ',"again":true}');
    me.keepSoon();
  };

  const say = (text) => {
    const message = JSON.parse(text);
    const { type, id, name, args, value, error } = message;
    if (type == 'emit') return target.emit(name, ...args);
    if (type == 'run') {
      return extras()
        .then(({ run }) => run(target, state.f, message))
        .catch((error) => ({ id, error: '' + error }))
        .then((answer) => me.core.post(`{"answers":${state.t.freeze([answer])}}`));
    }
    if (type == 'callback') {
      try {
        state.f[id](...args);
      } catch (thrown) {
        console.error(thrown);
      }
      delete state.f[id];
    } else {
      settle(id);
      if (!state.p[id]) return; // a former page's call
      const [resolve, reject] = state.p[id];
      delete state.p[id];
      if (error) {
        delete state.f[id];
        reject(Object.assign(new Error(error.message), error));
      } else resolve(value);
    }
  };

  /** Getters answer what the core said, and what the page did since. */
  const seen = () => {
    view ||= views(state, me.core.send, [...handed.values(), ...state.q]);
    return view;
  };

  return {
    extras,
    warn,
    console: (level, text) => console[level](text),
    address: (href) => state.t.tried(() => history.replaceState(history.state, '', href)),
    say: (text) => (me.core?.far && seen(), say(text)),
    answer: (id, text) => seen().answer(id, text),
    written: (keys) => view?.written(keys),
    view(text) {
      seen().see(text);
      if (!state.ask) me.works();
      state.ask = view.ask;
      state.note = view.note;
    },

    /** A worker ended: it is started once more, then the next host takes over what is not answered. */
    lost(reason) {
      const worked = state.ask;
      state.q = [...handed.values(), ...state.q];
      handed.clear();
      me.core = state.ask = state.note = view = null;
      if (reason == AWAY) return me.boot();
      if (!worked || !--lives) return me.fall(reason);
      warn('Host lost', `the host ended (${reason}), it is started again.`);
      setTimeout(me.boot, AGAIN_MS);
    },

    /** Python on the page's own thread. */
    async here() {
      const { start } = await import(base + __HOST__);
      const core = near(state, (await start(base)).start(window, say), me.flush);
      me.works();
      return core;
    },
  };
};
