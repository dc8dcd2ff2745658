// Page side: a core that lives in a worker. Shows it the page, and does what it asks for, in order.
import { mayKeep } from './precheck.js';
import { ours } from './kept.js';
import { page, tried } from './own.js';

const url = (address) =>
  window.trustedTypes?.createPolicy('cioanalytics', { createScriptURL: String }).createScriptURL(address) ??
  address;

/** The worker's port. Scripts of another origin start from a small blob. */
const open = (kind, address, failed) => {
  const options = { type: 'module', name: address, extendedLifetime: true };
  if (new URL(address).origin != location.origin) {
    const code = `import ${JSON.stringify(address)}`;
    address = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  }
  const worker = kind == 'shared' ? new SharedWorker(url(address), options) : new Worker(url(address), options);
  worker.onerror = (event) => (event.preventDefault(), failed(options.name + ': ' + event.message));
  return worker.port || worker;
};

/** Members of the window by their paths; of an object, what it says of itself or that it is there. */
const members = (paths) => {
  const read = (path) => {
    const value = tried(() => path.split('.').reduce((found, name) => found?.[name], window));
    return Object(value) === value ? (value.toJSON?.() ?? true) : value;
  };
  return Object.fromEntries(paths.map((path) => [path, read(path)]));
};

/**
 * Connect to a core in a worker. Resolves to `{send}` when the worker runs; `on` has the functions
 * for acts of the core: say, view, answer and failed.
 */
export const connect = (kind, address, build, { i: id, o: options }, on) =>
  new Promise((resolve, reject) => {
    const lock = 'cioPage' + id + Math.random();
    let applied = 0;
    let turn = -1;
    let watched = [];
    let seen;
    let timer, port, release, over;
    const bad = new Set();
    const waiting = new AbortController();

    /** What the tracker keeps in an area of storage, undefined if there is none of this name. */
    const area = (name) =>
      tried(() => Object.fromEntries(ours(options, Object.keys(window[name]), true).map((key) => [key, window[name][key]])));
    const look = () => ({
      ...page(),
      ...members(seen),
      applied,
      turn,
      bad: [...bad],
      now: Date.now(),
      local: tried(() => Object.fromEntries(watched.map((key) => [key, localStorage.getItem(key)]))),
    });
    const send = (message) => {
      clearTimeout(timer);
      timer = 0;
      port.postMessage({ ...message, view: look() });
    };
    const lose = (reason) => {
      if (over) return;
      over = true;
      port?.close?.();
      port?.terminate?.();
      release?.();
      on.lost(reason);
      reject(reason);
    };
    const acts = {
      ...on,
      failed: lose,
      alive: async (its, life, first, always) => {
        if (its != build) return lose('another version');
        if (life) navigator.locks?.request(life, { signal: waiting.signal }, () => lose('ended')).catch(Object);
        clearTimeout(timer);
        seen = always;
        send({
          hello: {
            ...members(first),
            lock: (await locked) == lock && lock,
            keep: mayKeep(options),
            local: area('localStorage'),
            session: area('sessionStorage'),
          },
        });
        resolve(send);
      },
      write: (number, area, key, value) => {
        applied = number;
        try {
          if (area == 'cookie') document.cookie = value;
          else if (value == null) window[area].removeItem(key);
          else window[area].setItem(key, value);
          bad.delete(key);
        } catch {
          bad.add(key);
        }
        timer ||= setTimeout(send, 50);
      },
      look: (looked, name) => send({ looked, all: area(name) }),
      watch: (keys) => (watched = watched.concat(keys)),
      see: (paths) => (seen = seen.concat(paths)),
    };
    addEventListener('pagehide', () => (release?.(), waiting.abort()), { once: true });
    // held as long as the page is there: the worker asks for the same lock
    const locked = new Promise((done) => {
      const hold = () => (done(lock), new Promise((gone) => (release = gone)));
      if (navigator.locks) navigator.locks.request(lock, hold).catch(done);
      else done();
    });
    port = open(kind, address, lose);
    // the first access to these takes long: not in the task that needs them, but while the worker loads
    window.scheduler?.yield?.().then(() => document.cookie + tried(() => sessionStorage._));
    port.onmessage = ({ data }) => {
      turn = data.turn;
      const written = [];
      for (const [act, ...args] of data.acts) {
        acts[act]?.(...args);
        if (act == 'write') written.push(args[2]);
      }
      on.written(written);
    };
    timer = setTimeout(() => lose('no answer'), 10000);
  });
