// Page side, part of extras.js: what Snowplow trackers need of the page - functions of the site,
// links, the visitor's activity, and the queue of Snowplow's own tag.
import { page } from './capture.js';

const ACTIVITY =
  'wheel click mouseup mousedown mousemove keypress keydown keyup touchend touchstart scroll';
const COUNTED = { keydown: 'keyPresses', click: 'clicks', touchstart: 'touches' };

/** What happened since it was asked last: one watch for each tracker. */
const watch = () => {
  let last = null;
  let seen;
  const at = () => [scrollX, scrollY];
  const begin = () => {
    const [x, y] = at();
    const metrics = { mouseDistance: 0, scrollDistance: 0, keyPresses: 0, clicks: 0, touches: 0 };
    seen = { minX: x, maxX: x, minY: y, maxY: y, metrics, mouse: null, scroll: null };
  };
  const moved = (kind, x, y, distance) => {
    if (seen[kind]) seen.metrics[kind + 'Distance'] += distance(x - seen[kind][0], y - seen[kind][1]);
    seen[kind] = [x, y];
  };
  const happened = ({ type, clientX, clientY }) => {
    last = Date.now();
    if (COUNTED[type]) seen.metrics[COUNTED[type]]++;
    if (type == 'mousemove') moved('mouse', clientX, clientY, Math.hypot);
    if (type == 'scroll') {
      const [x, y] = at();
      seen.minX = Math.min(seen.minX, x);
      seen.maxX = Math.max(seen.maxX, x);
      seen.minY = Math.min(seen.minY, y);
      seen.maxY = Math.max(seen.maxY, y);
      moved('scroll', x, y, (dx, dy) => Math.abs(dx) + Math.abs(dy));
    }
  };
  for (const type of ACTIVITY.split(' '))
    document.addEventListener(type, happened, { capture: true, passive: true });
  for (const type of ['resize', 'focus', 'blur']) addEventListener(type, happened);
  begin();
  return () => {
    const { mouse, scroll, ...facts } = seen;
    begin();
    return { ...facts, last };
  };
};

const tried = (work) => {
  try {
    return work();
  } catch (error) {
    console.error(error); // of the site: the calls behind it go on
  }
};

const watches = {};
const known = new WeakMap();

const decorate = (target, links, tracker, accepts, reason) => {
  for (const link of links) {
    const trackers = known.get(link) || new Set();
    if (trackers.has(tracker) || !accepts(link)) continue;
    known.set(link, trackers.add(tracker));
    const decorated = () => {
      const text = reason ? tried(() => reason(link)) : link.textContent;
      return target['getDecoratedLink:' + tracker](link.href, String(text ?? ''));
    };
    // a core in a worker answers what it was asked last: the pointer comes before the click
    link.addEventListener('pointerover', decorated);
    decorated();
    for (const type of ['mousedown', 'click'])
      link.addEventListener(type, () => (link.href = decorated() || link.href), true);
  }
};

/** Do what a `run` message asks for: a function of the site, or one of the jobs above. */
export const work = async (target, functions, { fn, job, tracker, reason, args }) => {
  if (job == 'links')
    return decorate(target, document.links, tracker, functions[fn], functions[reason]);
  if (job == 'activity') return (watches[tracker] ||= watch())();
  return functions[fn](...args);
};

// ---- the queue of Snowplow's tag ---------------------------------------------------------------

const PLUGIN_DEADLINE_MS = 5000;

const load = (address) =>
  new Promise((done) => {
    const script = document.createElement('script');
    script.src = address;
    script.onload = script.onerror = done;
    setTimeout(done, PLUGIN_DEADLINE_MS);
    document.head.append(script);
  });

/** Do something when a promise is settled, or at once without one. */
const after = (promise, work) => (promise ? promise.catch(Object).then(() => tried(work)) : tried(work));

/** Take over the queues that Snowplow's tag has made: the same calls, answered by this tracker. */
export const adopt = (target, state) => {
  const names = [];
  // a tracker as a function of the queue gets it
  const tracker = (name) =>
    new Proxy({}, { get: (_, method) => (...args) => target[`${String(method)}:${name}`](...args) });
  let last;
  const make = (method, args, seen) => {
    if (method.startsWith('newTracker')) names.push(args[0]);
    last = state.call(method, args, 0, true, seen);
  };
  // What has to wait for something gives a promise. Calls are of the time and page of their push.
  const run = ([command, ...args], seen) => {
    if (typeof command == 'function') {
      return after(last, () => {
        const trackers = Object.fromEntries(names.map((name) => [name, tracker(name)]));
        command.apply(trackers, [...args, trackers]);
      });
    }
    if (command.startsWith('addPlugin') && typeof args[0] == 'string') {
      const [address, [global, constructor], parameters = [], pause = true] = args;
      const loaded = after(load(address), () =>
        make(command, [{ plugin: window[global][constructor](...parameters) }], seen),
      );
      return pause ? loaded : undefined;
    }
    make(command, args, seen);
  };
  for (const name of window.GlobalSnowplowNamespace.splice(0)) {
    let turn;
    const push = (...items) => {
      for (const item of items) {
        const seen = { at: Date.now(), page: page() };
        const work = () => run(Array.from(item), seen);
        const waits = turn ? after(turn, work) : tried(work);
        const mine = waits?.finally(() => turn == mine && (turn = 0));
        turn = mine;
      }
    };
    const waiting = window[name].q || [];
    window[name].q = { push };
    push(...waiting);
  }
};
