// Page side: what getters answer while the core lives in a worker: what it said last, changed by the
// calls it has not handled yet, or what the stores hold if somebody else changed them.
import { answered, applied, changes } from './identity.js';

const USER = /^user\./;

const uuid = () =>
  '10000000-1000-4000-8000-100000000000'.replace(/[018]/g, (digit) =>
    (digit ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (digit / 4)))).toString(16),
  );

const named = (method) => (method == 'setAnonymousId' ? 'user.anonymousId' : method);

/** Views of one page; `send` reaches the core, `waiting` are the calls that it has not handled. */
export const views = (state, send, waiting) => {
  const { cookie, keyOf, local, nothing, parsed } = state.t;
  let told, now;
  // calls that the core has not handled, and what they carry of their own
  let pending = waiting
    .map((text) => JSON.parse(text))
    .filter(({ again, method }) => !again && changes(named(method)))
    .map(({ id, method, args, spare }) => [id, named(method), args, spare]);
  const stamps = {};
  const links = {};

  // the anonymous id is part of it: another one is another visitor
  const stampOf = (method) =>
    [method, 'user.anonymousId']
      .map((name) => keyOf(name, state.o))
      .map((key) => cookie(key) + '\n' + local(key))
      .join('\n');

  const idIn = (text) => {
    const id = text?.[0] == '"' ? parsed(text) : text;
    return id && id != 'null' ? id : null;
  };

  const settle = () => {
    now = told.getters;
    for (const [, method, args, spare] of pending) now = applied(now, method, args, spare);
  };

  /** Whether a subdomain changed the visitor, so that the local copy of this one counts no more. */
  const outdated = () => {
    const key = keyOf('user.anonymousId', state.o);
    const [shared, own] = [cookie(key), local(key)].map(idIn);
    return shared && own && shared != own;
  };

  /** What the stores hold; undefined where they do not count. */
  const kept = (method) => {
    const key = keyOf(method, state.o);
    const read = { cookie: () => cookie(key), localStorage: () => local(key) };
    const traits = method.endsWith('traits');
    let places = told[traits ? 'traitPlaces' : 'idPlaces'];
    if (!places.length) return;
    if (outdated()) places = places.filter((place) => place == 'cookie');
    const texts = places.map((place) => read[place]());
    return traits ? parsed(texts[0]) || {} : texts.map(idIn).find(Boolean) || null;
  };

  const get = (method) => {
    const value = now[method];
    if (pending.length || now.hidden || stamps[method] == stampOf(method)) return value;
    send({ refresh: true });
    // where all identity was wiped under a live page, the page still knows its visitor (S16)
    if (USER.test(method) && !kept('user.anonymousId')) return value;
    const held = kept(method);
    return held === undefined ? value : held;
  };

  // a link gets the answer to the last time it asked, and asks again
  const decorated = (method, [href, text]) => {
    const key = method + href.replace(/[?&]_sp=[^&#]*/, '') + text;
    const id = state.i + key;
    links[id] = (answer) => (links[key] = answer);
    send({ asked: id, text: JSON.stringify({ method, args: [href, text] }) });
    return links[key] ?? null;
  };

  return {
    /** The core said what holds now. */
    see(text) {
      told = JSON.parse(text);
      pending = pending.filter(([id]) => !told.handled.includes(id));
      settle();
      // what others changed since the core looked is no part of what it said
      const same = (method) => JSON.stringify(kept(method)) == JSON.stringify(told.getters[method]);
      for (const method in told.getters) {
        if (!stamps[method] || same(method)) stamps[method] = stampOf(method);
      }
    },

    /** The core wrote these keys. */
    written(keys) {
      for (const method in stamps) {
        const own = [method, 'user.anonymousId'].map((name) => keyOf(name, state.o));
        if (own.some((key) => keys.includes(key))) stamps[method] = stampOf(method);
      }
    },

    /** A call is made: what it carries of its own. */
    note(id, method, json) {
      const name = named(method);
      if (!now || !changes(name)) return;
      const spare = uuid();
      pending.push([id, name, JSON.parse(json), spare]);
      settle();
      return { spare };
    },

    answer: (id, text) => links[id]?.(JSON.parse(text).value),

    ask(method, args) {
      const [getter, namespace] = method.split(':');
      if (getter == 'getDecoratedLink') return decorated(method, args);
      if (getter[0] == 'g' && getter[3] != 'u' && !getter.includes('.')) {
        const { trackers, first } = told;
        const named = getter == 'getDomainSessionId' && typeof args[0] == 'string' && args[0];
        const tracker = trackers[named || namespace || first];
        if (getter != 'getCookieName') return tracker?.[getter] ?? null;
        return tracker ? tracker[getter].replace('*', args[0] ?? 'id') : null;
      }
      const name = named(getter);
      if (args.length && args[0] !== undefined) {
        state.call(getter, args);
        if (now.hidden) return nothing(name);
        return answered(now, name, args[0]);
      }
      let value = get(name);
      if (value == null && name == 'user.anonymousId' && !now.hidden && !now.disabled.includes('user')) {
        state.call(name, [uuid()]);
        value = now[name];
      }
      return structuredClone(value) ?? nothing(name); // the page may change what it got
    },
  };
};
