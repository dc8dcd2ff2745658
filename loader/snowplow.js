// Page side, part of extras.js: what Snowplow trackers need of the page - functions of the site,
// links, the visitor's activity, and the queue of Snowplow's own tag.

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

const watches = {};
const known = new WeakMap();

const decorate = (target, links, tracker, accepts) => {
  for (const link of links) {
    const trackers = known.get(link) || new Set();
    if (trackers.has(tracker) || !accepts(link)) continue;
    known.set(link, trackers.add(tracker));
    for (const type of ['mousedown', 'click']) {
      link.addEventListener(
        type,
        () => {
          const ask = target['getDecoratedLink:' + tracker];
          link.href = ask(link.href, link.textContent.trim()) || link.href;
        },
        true,
      );
    }
  }
};

/** Do what a `run` message asks for: a function of the site, or one of the jobs above. */
export const work = async (target, functions, { fn, job, tracker, args }) => {
  if (job == 'links') return decorate(target, document.links, tracker, functions[fn]);
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

/** Take over the queues that Snowplow's tag has made: the same calls, answered by this tracker. */
export const adopt = (target, state) => {
  const names = [];
  // a tracker as a function of the queue gets it
  const tracker = (name) =>
    new Proxy({}, { get: (_, method) => (...args) => target[`${String(method)}:${name}`](...args) });
  const make = (method, args) => {
    if (method.startsWith('newTracker')) names.push(args[0]);
    return state.call(method, args, 0, true);
  };
  const run = async ([command, ...args]) => {
    if (typeof command == 'function') {
      await state.call('getCookieName', ['id']); // after the calls before it
      const trackers = Object.fromEntries(names.map((name) => [name, tracker(name)]));
      command.apply(trackers, [...args, trackers]);
    } else if (command.startsWith('addPlugin') && typeof args[0] == 'string') {
      const [address, [global, constructor], parameters = [], pause = true] = args;
      const loaded = load(address).then(() =>
        make(command, [
          { plugin: window[global][constructor](...parameters) },
        ]),
      );
      if (pause) await loaded;
    } else make(command, args);
  };
  for (const name of window.GlobalSnowplowNamespace.splice(0)) {
    let turn = Promise.resolve();
    const push = (...items) => {
      for (const item of items)
        turn = turn.then(() => run(Array.from(item))).catch((error) => console.error(error));
    };
    const waiting = window[name].q || [];
    window[name].q = { push };
    push(...waiting);
  }
};
