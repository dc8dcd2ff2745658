// Shared by all pages: waiting for the tracker, and the panel that shows what it does.
// The panel uses the public API only, as any site could.

// ---- the tracker ------------------------------------------------------------------------------

const loader = document.querySelector('script[src$="/loader.js"], script[src$="/start.js"]');

/**
 * Run `work(cioanalytics)` as soon as that exists. Pages with the snippet need no such thing, they
 * have it from their <head> on; with the attribute form it comes with the loader.
 */
export const whenTracked = (work) => {
  if (window.cioanalytics) work(window.cioanalytics);
  else loader?.addEventListener('load', () => work(window.cioanalytics), { once: true });
};

// ---- elements ---------------------------------------------------------------------------------

/** An element with properties and children. Text goes in as text, never as markup. */
const make = (tag, properties = {}, ...children) => {
  const { data = {}, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  Object.assign(element.dataset, data);
  element.append(...children);
  return element;
};

const section = (title, ...children) => make('section', {}, make('h3', {}, title), ...children);

const row = (title, id) => [make('dt', {}, title), make('dd', { id })];

const list = (title, id, empty) => section(title, make('dl', { id, className: 'panel-items', data: { empty } }));

const button = (id, text, call) => {
  const element = make('button', { id, type: 'button' }, text);
  element.addEventListener('click', () => {
    whenTracked(call);
    refresh();
  });
  return element;
};

const burst = (cioanalytics) => {
  for (let number = 1; number <= 10; number++) cioanalytics.track('Burst', { number });
};

const toggle = make(
  'button',
  { id: 'panel-toggle', type: 'button', ariaExpanded: 'false' },
  make('span', {}, 'Tracker'),
  make('span', { id: 'panel-ready', data: { state: 'starting' } }, 'Starting…'),
);
toggle.setAttribute('aria-controls', 'panel-body');

const log = make('ol', { id: 'panel-log', data: { empty: 'No calls yet' } });

const panel = make(
  'aside',
  { id: 'panel' },
  make('h2', {}, toggle),
  make(
    'div',
    { id: 'panel-body' },
    make(
      'div',
      { className: 'panel-buttons' },
      button('panel-identify', 'identify', (it) => it.identify('demo-user', { name: 'Demo User', plan: 'gold' })),
      button('panel-track', 'track', (it) => it.track('Panel Clicked', { page: location.pathname })),
      button('panel-group', 'group', (it) => it.group('demo-company', { name: 'Demo Company', employees: 42 })),
      button('panel-reset', 'reset', (it) => it.reset()),
      button('panel-burst', '10 events', burst),
    ),
    section(
      'Identity',
      make(
        'dl',
        { className: 'panel-identity' },
        ...row('user().id()', 'panel-user-id'),
        ...row('user().anonymousId()', 'panel-anonymous-id'),
        ...row('user().traits()', 'panel-user-traits'),
        ...row('group().id()', 'panel-group-id'),
        ...row('group().traits()', 'panel-group-traits'),
      ),
    ),
    section('Last 8 calls', log),
    list('Cookies', 'panel-cookies', 'None'),
    list('Local storage', 'panel-storage', 'Empty'),
    make('a', { id: 'panel-events', href: '/events' }, 'What the collector received'),
  ),
);
panel.setAttribute('aria-label', 'Tracker panel');

// Where there is room at the side the panel is always open and the toggle does nothing.
const wide = matchMedia('(min-width: 64rem)');
const setOpen = (open) => {
  toggle.ariaExpanded = String(open || wide.matches);
  toggle.disabled = wide.matches;
  panel.dataset.open = open;
};
toggle.addEventListener('click', () => setOpen(panel.dataset.open !== 'true'));
wide.addEventListener('change', () => setOpen(panel.dataset.open === 'true'));
setOpen(false);

// ---- what it shows ----------------------------------------------------------------------------

/** Change a text only if it differs, so that a selection in the panel survives. */
const show = (id, text) => {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
};

const showItems = (id, items) => {
  const element = document.getElementById(id);
  const text = JSON.stringify(items);
  if (element.dataset.shown === text) return;
  element.dataset.shown = text;
  element.replaceChildren(
    ...items.flatMap(([name, value]) => [make('dt', {}, name), make('dd', { title: `${value.length} characters` }, value)]),
  );
};

const decoded = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const cookies = () =>
  document.cookie
    .split('; ')
    .filter(Boolean)
    .map((cookie) => [cookie.split('=')[0], decoded(cookie.slice(cookie.indexOf('=') + 1))])
    .sort();

const stored = () => {
  try {
    return Object.entries(localStorage).sort();
  } catch {
    return []; // denied
  }
};

const asJson = (traits) => (Object.keys(traits || {}).length ? JSON.stringify(traits, null, 1) : '{}');

const refresh = () => {
  const { cioanalytics } = window;
  // before the core is there, these answer from the cookies and the local storage
  const [user, group] = cioanalytics ? [cioanalytics.user(), cioanalytics.group()] : [];
  show('panel-user-id', user?.id() ?? '–');
  show('panel-anonymous-id', user?.anonymousId() ?? '–');
  show('panel-user-traits', asJson(user?.traits()));
  show('panel-group-id', group?.id() ?? '–');
  show('panel-group-traits', asJson(group?.traits()));
  showItems('panel-cookies', cookies());
  showItems('panel-storage', stored());
};

const showState = (state, text) => {
  show('panel-ready', text);
  document.getElementById('panel-ready').dataset.state = state;
};

// ---- calls ------------------------------------------------------------------------------------

const SHOWN = 8;
const KEPT = 50; // more than are shown, to recognise events when they are delivered
const calls = []; // newest first

const showCalls = () => {
  log.replaceChildren(
    ...calls.slice(0, SHOWN).map(({ type, name, messageId, status }) =>
      make(
        'li',
        { data: { type, status } },
        make('b', {}, type),
        make('span', { className: 'call-name' }, name),
        make('i', {}, status),
        make('code', { title: messageId }, messageId),
      ),
    ),
  );
  refresh();
};

const addCall = (type, name, status, messageId = '') => {
  calls.unshift({ type, name, status, messageId });
  calls.length = Math.min(calls.length, KEPT);
};

/** What a listener of a call is told is what the call was given; these make a name of it. */
const NAMES = {
  track: (event) => event,
  page: (category, name) => name ?? location.pathname,
  identify: (id) => id ?? 'anonymous',
  group: (id) => id ?? 'no id',
  reset: () => '',
};

const nameOf = (event) =>
  ({
    track: event.event,
    page: event.name ?? event.properties?.path,
    identify: event.userId ?? 'anonymous',
    group: event.groupId ?? 'no id',
  })[event.type] ?? '';

/** Listeners of calls are not told the message id; it comes with what happened to the event. */
const settle = (event, status) => {
  const { type, messageId } = event;
  const name = nameOf(event);
  const call =
    calls.find((each) => each.messageId === messageId) ||
    calls.findLast((each) => !each.messageId && each.type === type && each.name === name);
  if (call) Object.assign(call, { messageId, status });
  else addCall(type, name, status, messageId); // called on an earlier page
};

const follow = (cioanalytics) => {
  for (const [type, name] of Object.entries(NAMES)) {
    cioanalytics.on(type, (...args) => {
      addCall(type, name(...args), type === 'reset' ? 'done' : 'queued');
      showCalls();
    });
  }
  for (const status of ['delivered', 'retry', 'dropped']) {
    cioanalytics.on(status, ({ events }) => {
      for (const event of events) settle(event, status);
      showCalls();
    });
  }
  let ready = false;
  cioanalytics.on('error', ({ message, detail }) => {
    addCall('error', detail || message, 'error');
    showCalls();
    if (!ready) showState('failed', message);
  });
  cioanalytics.ready().then(
    (stages) => {
      ready = true;
      if (stages) showState('ready', `Ready after ${(performance.now() / 1000).toFixed(1)} s`);
      else showState('off', 'Off: the visitor refuses');
      refresh();
    },
    () => showState('failed', 'Failed'),
  );
};

// ---- start ------------------------------------------------------------------------------------

document.body.append(panel);
whenTracked(follow);
addEventListener('load', () => {
  if (!window.cioanalytics?.VERSION) showState('failed', 'Not loaded'); // missing, or blocked
});
refresh();

let timer;
const watch = () => {
  clearInterval(timer);
  if (document.visibilityState === 'hidden') return;
  refresh();
  timer = setInterval(refresh, 1000);
};
document.addEventListener('visibilitychange', watch);
watch();
