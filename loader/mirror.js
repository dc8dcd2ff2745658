// Worker side: the window of a page as the core sees it. Reads are answered from the page's last
// view, writes go to the page in order. Truth under concurrency: a value that the core wrote stands
// until a view arrives that was taken after a page confirmed the write; then the view wins, absence
// included.
import { ACTS, FIRST, SIZES } from './protocol.js';

/**
 * What all pages of one worker share: those that are there, and those whose core still works; the
 * count of writes, and writes that views may not show yet.
 */
export const origin = {
  pages: new Set(),
  all: new Set(),
  writes: 0,
  turn: 0,
  recent: [],
  orphans: [],
};

// A new page knows of no turn yet: its view shows a write that was confirmed this long before it. So
// does the view of a page in another process, which learns of cookies a moment after the first one.
const MARGIN_MS = 100;

const SLOW_MS = 60_000; // a view may wait this long until Python is there

/** Keys of out-queues: they are long, and views do not show them. */
export const QUEUE = /OutQueue_/;

/** The name, value (null when it ends) and variant of a cookie assignment. */
const assigned = (text) => {
  const [pair, ...attributes] = text.split(';');
  const at = pair.indexOf('=');
  const name = pair.slice(0, at).trim();
  let gone = false;
  let variant = '';
  for (const attribute of attributes) {
    const [key, value = ''] = attribute.trim().split('=');
    if (/^max-age$/i.test(key)) gone = Number(value) <= 0;
    else if (/^expires$/i.test(key)) gone ||= Date.parse(value) <= Date.now();
    else if (/^(domain|path)$/i.test(key)) variant += value;
  }
  return { name, value: gone ? null : pair.slice(at + 1).trim(), variant };
};

/** What tells values apart: queues are long, and many of their values may wait for a hidden page. */
const print = (value) => (value == null ? '' : value.length + value.slice(0, 80) + value.slice(-80));

const settle = (heir, entries) => {
  for (const entry of entries) {
    // applied already, or others have changed the value since: the page's view is right
    if (entry.before.includes(heir.shown(entry))) heir.apply(entry);
    else Object.assign(entry, { turn: ++origin.turn, since: Date.now(), vain: true });
  }
};

/**
 * Writes that a page may have applied before it was gone: another one looks after them, or the next.
 * `fresh` says that its view has just been taken.
 */
export const inherit = (entries, fresh) => {
  const [heir] = origin.pages;
  if (!heir) {
    const ids = entries.map((entry) => entry.id);
    origin.orphans = [...origin.orphans.filter((entry) => !ids.includes(entry.id)), ...entries];
    return;
  }
  if (fresh) return settle(heir, entries);
  const queue = ({ key }) => QUEUE.test(key); // no view shows them, and nobody else writes them
  entries.filter(queue).forEach((entry) => heir.apply(entry));
  const others = entries.filter((entry) => !queue(entry));
  if (!others.length) return;
  const id = 'inherit' + ++origin.writes;
  heir.questions[id] = () => (heir.gone ? inherit(others) : settle(heir, others));
  heir.act(ACTS.look, id);
};

export class Mirror {
  constructor(hello, act) {
    this.hello = hello;
    this.act = act;
    this.over = new Map(); // what was written and no view shows yet: `area key variant` -> entry
    this.unconfirmed = [];
    this.local = hello.local;
    this.session = hello.session;
    this.sizes = Object.fromEntries(SIZES.map((path) => [path, hello[path]]));
    this.asked = new Set();
    this.told = 0;
    this.questions = {};
    this.skew = 0;
    this.bad = [];
    for (const entry of origin.recent) this.over.set(entry.id, entry);
    origin.all.add(this);
  }

  // ---- writes -----------------------------------------------------------------------------------

  write(area, key, value, variant = '', text = value) {
    const id = [area, key, variant].join('\n');
    const last = this.over.get(id);
    const [heir = this] = this.gone ? origin.pages : [];
    const before = last?.turn === null ? [...last.before, print(last.value)] : [heir.shown({ area, key })];
    const entry = { id, area, key, value, text, turn: null, before };
    if (area == 'sessionStorage') {
      this.over.set(entry.id, entry);
      if (!this.gone) this.apply(entry);
      return;
    }
    const now = Date.now();
    origin.recent = origin.recent.filter(
      (each) => each.id != entry.id && (each.turn == null || now - each.since < SLOW_MS),
    );
    origin.recent.push(entry);
    for (const mirror of origin.all) mirror.over.set(entry.id, entry);
    // a page that still has a write of this key to apply applies the next one, too: in order
    const writer = last?.turn === null && last.owner && !last.owner.gone ? last.owner : this;
    if (writer.gone) inherit([entry]);
    else writer.apply(entry);
  }

  /** The print of what the page showed last, without the writes since; or of what a view shows. */
  shown({ area, key }, view) {
    if (area != 'cookie') return print((view ? view.local : this.local)?.[key]);
    const all = (view || this.page)['document.cookie'];
    const pair = all.split('; ').find((each) => each.startsWith(key + '='));
    return print(pair?.slice(key.length + 1));
  }

  /** Have the page of this mirror apply a write. */
  apply(entry) {
    entry.number = ++origin.writes;
    entry.owner = this;
    this.unconfirmed.push(entry);
    this.act(ACTS.write, entry.number, entry.area, entry.key, entry.text);
  }

  // ---- views ------------------------------------------------------------------------------------

  /** Take in the page as it was when a message left it. Its first message holds all its keys. */
  see(view, first) {
    const skew = view.now - Date.now();
    this.skew = skew > -SLOW_MS && skew < 1000 ? 0 : skew; // a page's own clock, not a slow start
    const confirmed = this.unconfirmed.filter((entry) => entry.number <= view.applied);
    this.unconfirmed = this.unconfirmed.filter((entry) => entry.number > view.applied);
    if (confirmed.length) {
      origin.turn++;
      for (const entry of confirmed) Object.assign(entry, { turn: origin.turn, since: Date.now() });
    }
    const taken = view.now - this.skew;
    for (const [id, entry] of this.over) {
      const soon = entry.owner != this && taken < entry.since + MARGIN_MS;
      const late = view.turn < entry.turn || entry.before.includes(this.shown(entry, view));
      if (entry.turn == null || (soon && late)) continue;
      this.over.delete(id);
      if (first || entry.vain) continue;
      if (entry.area == 'localStorage') this.set(this.local, entry);
      if (entry.area == 'sessionStorage') this.set(this.session, entry);
    }
    Object.assign(this.local || {}, view.local);
    this.bad = view.bad;
    this.page = { ...this.sizes, ...view };
    return confirmed.length > 0;
  }

  /** Take in what others did to out-queues, which views do not show. */
  renew(all) {
    for (const key in this.local) if (QUEUE.test(key) && !(key in all)) delete this.local[key];
    for (const key in all) if (QUEUE.test(key)) this.local[key] = all[key];
  }

  set(area, { key, value }) {
    if (area) area[key] = value;
  }

  // ---- what the core reads ----------------------------------------------------------------------

  cookie() {
    const written = new Map();
    for (const { area, key, value } of this.over.values()) {
      if (area == 'cookie') written.set(key, value ?? written.get(key) ?? null);
    }
    const kept = this.page['document.cookie'].split('; ').filter((pair) => !written.has(pair.split('=')[0]));
    for (const [name, value] of written) if (value != null) kept.push(`${name}=${value}`);
    return kept.filter(Boolean).join('; ');
  }

  storage(name, base) {
    const denied = () => {
      if (!base()) throw new Error(`${name} is denied`);
    };
    const mirror = this;
    const shown = (key) => {
      const entry = mirror.over.get([name, key, ''].join('\n'));
      return (entry ? entry.value : base()[key]) ?? null;
    };
    const read = (key) => {
      denied();
      mirror.asked.add(key);
      return shown(key);
    };
    const keys = () => {
      denied();
      const all = new Set(Object.keys(base()));
      for (const { area, key } of mirror.over.values()) if (area == name) all.add(key);
      return [...all].filter((key) => shown(key) != null);
    };
    return {
      getItem: read,
      setItem: (key, value) => {
        denied();
        mirror.write(name, key, String(value));
        if (mirror.bad.includes(key)) throw new Error('full');
      },
      removeItem: (key) => {
        if (read(key) != null) mirror.write(name, key, null);
      },
      key: (index) => keys()[index] ?? null,
      get length() {
        return keys().length;
      },
    };
  }

  // ---- the window -------------------------------------------------------------------------------

  window() {
    const mirror = this;
    const { hello } = this;
    const listeners = (this.listeners = []);
    const members = (start) =>
      Object.fromEntries(
        FIRST.filter((path) => path.startsWith(start)).map((path) => [path.slice(start.length), hello[path]]),
      );
    const hints = hello['navigator.userAgentData'];
    const addEventListener = (type, listener) => listeners.push([type, listener]);
    const document = {
      get cookie() {
        return mirror.cookie();
      },
      set cookie(text) {
        const { name, value, variant } = assigned(text);
        mirror.write('cookie', name, value, variant, text);
      },
      get title() {
        return mirror.page.title;
      },
      get referrer() {
        return mirror.page.referrer;
      },
      get visibilityState() {
        return mirror.page['document.visibilityState'];
      },
      querySelectorAll: () => {
        const { canonical } = mirror.page;
        return canonical ? [{ getAttribute: () => canonical }] : [];
      },
      characterSet: hello['document.characterSet'],
      get documentElement() {
        if (!mirror.sized) mirror.act(ACTS.see, SIZES);
        mirror.sized = true;
        const [scrollWidth, height, inBody] = SIZES.map((path) => mirror.page[path] || 0);
        const lang = mirror.page['document.documentElement.lang'];
        const box = { lang, scrollWidth, scrollHeight: Math.max(height, inBody) };
        return { ...box, clientWidth: 0, offsetWidth: 0, clientHeight: 0, offsetHeight: 0 };
      },
      body: null,
      addEventListener,
    };
    const own = {
      document,
      location: {
        get href() {
          return mirror.page.href;
        },
      },
      history: {
        state: null,
        replaceState: (_, __, href) => {
          mirror.act(ACTS.address, href);
          mirror.page = { ...mirror.page, href };
        },
      },
      navigator: {
        ...members('navigator.'),
        userAgentData: undefined,
        ...(hints && { userAgentData: { toJSON: () => hints } }),
        get onLine() {
          return mirror.page['navigator.onLine'];
        },
        locks: navigator.locks,
      },
      refresh: () => {
        const id = 'refresh' + ++origin.writes;
        mirror.act(ACTS.look, id, 'localStorage');
        return new Promise((done) => (mirror.questions[id] = done));
      },
      screen: members('screen.'),
      get devicePixelRatio() {
        return mirror.page.devicePixelRatio;
      },
      get innerWidth() {
        return mirror.page.innerWidth;
      },
      get innerHeight() {
        return mirror.page.innerHeight;
      },
      doNotTrack: hello.doNotTrack,
      console: Object.fromEntries(
        ['error', 'warn', 'info', 'log'].map((level) => [level, (text) => mirror.act(ACTS.console, level, text)]),
      ),
      addEventListener,
      fetch: (address, init) => fetch(new URL(address, mirror.page.href), init),
      setTimeout: (work, delay) => setTimeout(work, delay),
      clearTimeout: (number) => clearTimeout(number),
      crypto,
      Date: new Proxy(Date, {
        get: (date, name) => (name == 'now' ? () => Date.now() + mirror.skew : Reflect.get(date, name)),
      }),
      tryCookie: (name, attributes) => {
        const id = name + ++origin.writes;
        mirror.act(ACTS.write, ++origin.writes, 'cookie', name, `${name}=1${attributes}`);
        mirror.act(ACTS.look, id);
        mirror.act(ACTS.write, ++origin.writes, 'cookie', name, `${name}=${attributes}; Max-Age=0`);
        return new Promise((done) => (mirror.questions[id] = done)).then((view) =>
          view['document.cookie'].split('; ').includes(name + '=1'),
        );
      },
    };
    for (const path of FIRST.filter((path) => hello[path] === true && !/^(navigator|screen)\./.test(path))) {
      const names = path.split('.');
      const last = names.pop();
      names.reduce((object, name) => (object[name] ??= {}), own)[last] = true;
    }
    for (const name of ['URL', 'Math', 'Intl', 'Object', 'Uint8Array', 'String', 'AbortSignal', 'Promise'])
      own[name] = self[name];
    for (const name of ['encodeURIComponent', 'decodeURIComponent']) own[name] = self[name];
    const areas = [
      ['localStorage', () => this.local],
      ['sessionStorage', () => this.session],
    ];
    for (const [name, base] of areas) own[name] = this.storage(name, base);
    return own;
  }

  /** Something happened in the page's life. */
  happened(type) {
    for (const [name, listener] of [...this.listeners]) if (name == type) listener({ type });
  }

  /** The page is gone: its questions have no answer, its writes find another page. */
  leave() {
    this.gone = true;
    const questions = Object.values(this.questions);
    this.questions = {};
    for (const answer of questions) answer({ 'document.cookie': '' });
    const last = new Map(this.unconfirmed.map((entry) => [entry.id, entry]));
    inherit([...last.values()].filter((entry) => entry.area != 'sessionStorage'));
    this.unconfirmed = [];
  }

  /** Let go of everything, so that both languages can collect it. */
  close() {
    origin.all.delete(this);
    for (const [, listener] of this.listeners) listener.destroy?.();
    this.listeners.length = 0;
  }
}
