// Page side: makes the global object work. Reads top to bottom: names, privacy, messages, life, start.
import { attach } from './stub.js';
import { freeze } from './capture.js';
import { mayKeep, refusedBy } from './precheck.js';
import { canRun, start } from './runtime.js';

const script = document.currentScript;
const { writeKey, options: json, globalAnalyticsKey = 'cioanalytics', ...data } = script.dataset;
const base = new URL('.', script.src).href;
const KEPT = 'cioCalls';
const SLICE = 8; // calls handed to the core in one go

const target = (window[globalAnalyticsKey] ||= {});
const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

if (!target.initialize) {
  target.initialize = target.invoked = true; // a second copy of the script or the snippet does nothing
  target.VERSION = __VERSION__;
  const state = attach(target);
  let core, scheduled, keep, begun;

  const warn = (message, detail) => {
    console.warn('cioanalytics: ' + detail);
    target.emit('error', { message, detail });
  };

  // ---- messages -------------------------------------------------------------------------------

  const receive = (text) => {
    const message = JSON.parse(text);
    const { type, id, args, value, error } = message;
    if (type == 'emit') return target.emit(message.name, ...args);
    if (type == 'run') return run(id, state.f[message.call], ...args);
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
      if (error) reject(Object.assign(new Error(error.message), error));
      else resolve(value);
    }
  };

  // a middleware: what it made of the event, or why it failed, goes back to the core
  const run = async (id, middleware, obj, integrations) => {
    const answer = { id, value: { next: 'none', obj } };
    const next = (payload) => {
      answer.value = payload ? { next: 'payload', obj: payload.obj } : { next: 'null' };
    };
    try {
      await middleware({ payload: { type: obj.type, obj }, integrations, next });
    } catch (error) {
      answer.error = '' + error;
    }
    core.post(`{"answers":${freeze([answer])}}`);
  };

  // all calls, or a few of them to keep the page's thread free
  const flush = (number = Infinity) => {
    if (core && state.q.length) core.post('{"calls":[' + state.q.splice(0, number) + ']}');
  };

  const drain = () => {
    flush(SLICE);
    scheduled = state.q.length && (soon(drain) || 1);
  };

  const soon = (work) =>
    window.scheduler?.postTask
      ? scheduler.postTask(work, { priority: 'background' })
      : (window.requestIdleCallback || setTimeout)(work);

  const ask = (method, args) => {
    flush();
    const answer = parsed(core.ask(`{"method":"${method}","args":${freeze(args)}}`));
    return 'value' in answer ? answer.value : method.endsWith('traits') ? {} : null;
  };

  // ---- life -----------------------------------------------------------------------------------

  const takeKept = () => {
    try {
      const calls = JSON.parse(localStorage.getItem(KEPT)) || [];
      localStorage.removeItem(KEPT);
      return calls;
    } catch {
      return [];
    }
  };

  // what the core could not take over waits for it on the next page
  const leave = () => {
    flush();
    if (core || !keep || !state.q.length) return;
    const mine = state.q.map((call) => ({ ...JSON.parse(call), kept: true })).filter((call) => call.method != 'load');
    const ids = mine.map((call) => call.id);
    const kept = takeKept().filter((call) => !ids.includes(call.id));
    try {
      localStorage.setItem(KEPT, JSON.stringify([...kept, ...mine].slice(-1000)));
    } catch {
      // full or denied: they stay in this page
    }
  };

  const replayKept = () => {
    const mine = state.q.map((call) => JSON.parse(call).id);
    const kept = takeKept().filter((call) => !mine.includes(call.id));
    state.q.unshift(...kept.map((call) => JSON.stringify(call)));
  };

  // ---- start ----------------------------------------------------------------------------------

  const boot = async () => {
    const { o: options } = state;
    if (navigator.connection?.saveData && options.saveData != 'load') {
      return warn('Save-Data', "the visitor asks to save data (option saveData is 'skip'): calls are kept for a later page.");
    }
    if (!canRun()) {
      return warn('No WebAssembly', "WebAssembly is not available or the page's CSP lacks 'wasm-unsafe-eval': calls stay queued. See dist/README.md#csp");
    }
    try {
      const bridge = await start(base, receive);
      if (keep) replayKept();
      core = bridge;
      state.ask = ask;
      delete target.load;
      flush();
    } catch (error) {
      warn('Start failed', `the tracker could not be started (${error}): calls stay queued. Is ${base} complete?`);
    }
  };

  const begin = () => {
    begun = true;
    const { o: options } = state;
    const refused = refusedBy(options);
    if (refused) {
      state.off = true;
      for (const id in state.p) state.p[id][0]();
      state.p = {};
      state.q = [];
      return console.info(`cioanalytics: nothing is tracked, because of ${refused}.`);
    }
    keep = mayKeep(options);
    addEventListener('pagehide', leave);
    document.addEventListener('visibilitychange', leave);
    if (options.globalAnalyticsKey) window[options.globalAnalyticsKey] ||= target;
    if (options.alias === true) window.analytics ||= target;
    if (document.readyState == 'complete') soon(boot);
    else addEventListener('load', () => soon(boot));
  };

  state.wake = (method) => {
    if (!begun) {
      if (method == 'load') begin();
    } else if (core && !scheduled) scheduled = soon(drain) || 1;
  };

  if (writeKey) {
    const given = parsed(json || '{}');
    const options = { initialPageview: true, ...(typeof given == 'object' && given) };
    if (!given || typeof given != 'object') {
      warn('Invalid data-options', `attribute data-options is ${json}; allowed: a JSON object.`);
    }
    for (const name in data) options[name] = parsed(data[name]);
    target.load(writeKey, options);
  } else if (state.q.some((call) => call.includes('"method":"load"'))) begin();
}
