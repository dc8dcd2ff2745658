// Page side: makes the global object work. Reads top to bottom: names, calls, life, privacy, hosts, start.
// Built twice: loader.js for the script tag, start.js for the snippet, which is the stub already.
// What a page needs from the first answer of the core on is in late.js.
import { connect } from './link.js';
import { canRun, mayKeep, refusedBy, saidBy } from './precheck.js';
import { forget } from './kept.js';
import { parsed, script, target, tried } from './own.js';

const base = new URL('.', script.src).href;
const HOOKS = 'load unload ready track page screen identify group alias';
const KEPT = 'cioCalls';
const GOING_MS = 2000; // until the page before this one is gone for certain
const SLICE = 8; // calls handed to Python on the page's own thread in one go

const starts = (call) => /"method":"(load|newT)/.test(call);

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
  let scheduled, begun, waking, keeping, written;
  let failed = '';
  let hosts = ['shared', 'worker', 'page'];
  // what late.js shares: the core, and what a worker has and did not answer, or needs again (by id)
  const me = { base, handed: new Map() };

  let talk;
  const late = async () =>
    (talk ||= await (waking ||= import(base + __LATE__).then(({ begin }) => begin(target, state, me))));
  const later = (name) => (...args) => {
    if (talk) talk[name](...args);
    else late().then(() => talk[name](...args), me.fall);
  };

  const warn = (message, detail) =>
    late().then(
      () => talk.warn(message, detail),
      () => console.warn('cioanalytics: ' + (detail || message)),
    );

  // ---- calls ----------------------------------------------------------------------------------

  target.register = (...plugins) => state.call('register', plugins.map(describe), plugins);
  state.x = state.x.filter(
    ([method, args, done]) => method != 'register' || void done(target.register(...args)),
  );

  const idOf = (call) => call.slice(7, call.indexOf('"', 7)); // {"id":"…
  const byId = (calls) => Object.fromEntries(calls.map((call) => [idOf(call), call]));

  // all calls, or a few of them to keep the page's thread free
  const flush = (me.flush = (number = Infinity) => {
    if (!me.core || !state.q.length) return;
    const calls = state.q.splice(0, number);
    if (me.core.far) for (const call of calls) me.handed.set(idOf(call), call);
    me.core.post('{"calls":[' + calls + ']}');
  });

  const drain = () => {
    flush(me.core?.far ? Infinity : SLICE);
    scheduled = state.q.length && (soon(drain) || 1);
  };

  const soon = (work) =>
    window.scheduler?.postTask
      ? scheduler.postTask(work, { priority: 'background' })
      : (window.requestIdleCallback || setTimeout)(work);

  /** The names of the origin's locks: of shared workers their build, of pages with a worker their id. */
  const locks = async () => ((await navigator.locks?.query().catch(Object))?.held || []).map(({ name }) => name);

  // ---- life -----------------------------------------------------------------------------------

  // Calls that no core has answered are kept for the next page, by tasks of their own: this page may
  // end at any moment. What no page may do again is left out, and so is what starts a tracker.
  const keep = () => {
    keeping = 0;
    const mine = [...me.handed.values(), ...state.q].filter(
      (call) => !/"again":true}$/.test(call) && !starts(call),
    );
    const may = mine[0] && !refusedBy(state.o) && mayKeep(state.o);
    const kept = mine.map((call) => call.replace(/(,"kept":true)?}$/, ',"kept":true}'));
    if (may) written = tried(() => (localStorage[KEPT + state.i] = `[${kept}]`));
    else if (written) written = tried(() => void delete localStorage[KEPT + state.i]);
  };
  const keepSoon = (me.keepSoon = () => (keeping ||= soon(keep) || 1));

  /** The calls of pages that are gone: this page keeps them from now on. */
  const takeKept = async () => {
    if (!mayKeep(state.o)) return;
    const keys = tried(() => Object.keys(localStorage).filter((key) => key.startsWith(KEPT) && key != KEPT + state.i)) || [];
    const names = keys[0] ? await locks() : [];
    tried(() => {
      for (const key of keys) {
        if (state.q.length > 900 || names.some((name) => name.startsWith('cioPage' + key.slice(KEPT.length)))) continue;
        state.q = Object.values({ ...byId((parsed(localStorage[key]) || []).map((call) => JSON.stringify(call))), ...byId(state.q) });
        delete localStorage[key];
      }
      if (keys[0]) keep();
    });
  };

  const tell = ({ type }) => me.core?.life?.(type);
  const leave = (event) => {
    flush();
    tell(event);
    keep();
  };

  // ---- privacy --------------------------------------------------------------------------------

  /** What a call says of privacy is true from then on. */
  const heed = (call) => Object.assign(state.o, saidBy(JSON.parse(call)));

  // early privacy calls hold before anything is downloaded, read or written (D9)
  const refuses = () => {
    const options = state.o;
    state.q.forEach(heed);
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

  // ---- hosts ----------------------------------------------------------------------------------

  const boot = (me.boot = async () => {
    if (refuses()) return;
    await takeKept();
    if (navigator.connection?.saveData && state.o.saveData != 'load')
      return warn('Save-Data');
    if (!canRun()) return warn('No WebAssembly');
    try {
      me.core = await (hosts[0] == 'page' ? (await late()).here() : there(hosts[0]));
    } catch (error) {
      return me.fall(error);
    }
    flush();
    setTimeout(() => takeKept().then(flush), GOING_MS);
  });

  /** The next host, as this one cannot be used; told when it is known which one can. */
  me.fall = (reason) => {
    failed += `host ${hosts.shift()} fails (${reason}), `;
    if (hosts[0]) boot();
    else warn('Start failed', failed);
  };

  /** The core has answered. */
  me.works = () => {
    if (failed) warn('Host failed', `${failed}host ${hosts[0]} is used`);
    failed = '';
    delete target.load;
  };

  /** Python in a worker. */
  const there = async (kind) => {
    const on = { written: (keys) => talk?.written?.(keys) };
    for (const name of ['say', 'answer', 'view', 'address', 'console']) on[name] = later(name);
    on.lost = (reason) => {
      if (me.core) later('lost')(reason);
    };
    const send = await connect(kind, base + __HOST__, __BUILD__, state, on);
    return { far: true, send, post: (text) => send({ text }), life: (life) => send({ life }) };
  };

  // a worker that another page started costs little: no need to wait until this page has loaded
  const lives = async () => hosts[0] == 'shared' && (await locks()).some((name) => name.startsWith(__BUILD__));

  const begin = () => {
    begun = true;
    const { o: options } = state;
    if (refuses()) return;
    const at = hosts.indexOf(options.host);
    const can = [window.SharedWorker && new URL(base).origin == location.origin, window.Worker, 1];
    hosts = hosts.filter((_, place) => can[place] && place >= at);
    addEventListener('pagehide', leave);
    document.addEventListener('visibilitychange', leave);
    addEventListener('pageshow', tell);
    addEventListener('online', tell);
    if (options.globalAnalyticsKey) window[options.globalAnalyticsKey] ||= target;
    if (options.alias === true) window.analytics ||= target;
    lives().then((alive) => {
      if (alive) boot();
      else if (document.readyState == 'complete') soon(boot);
      else addEventListener('load', () => soon(boot));
    });
  };

  // ---- start ----------------------------------------------------------------------------------

  state.wake = (method) => {
    if (!begun) {
      if (/^(load|newT)/.test(method)) begin();
      return;
    }
    if (/^(setO|enableA)/.test(method)) heed(state.q.at(-1));
    if (me.core && !scheduled) scheduled = soon(drain) || 1;
    keepSoon();
  };

  if (window.GlobalSnowplowNamespace) late().then(({ extras }) => extras()).then(({ adopt }) => adopt(target, state));
  if (state.q.some(starts)) begin();
  else if (__ALONE__ && script.dataset.writeKey) {
    const { writeKey, options: json, initialPageview, globalAnalyticsKey, ...data } = script.dataset;
    const given = json ? parsed(json) : {};
    if (Object(given) !== given) {
      warn('Invalid data-options', json);
    }
    const { initialPageview: wanted, ...options } = { ...given };
    for (const name in data) options[name] = parsed(data[name]) ?? data[name];
    target.load(writeKey, options);
    if (initialPageview !== 'false' && wanted !== false) target.page();
  }
}
