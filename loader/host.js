// Worker side: one Python for all pages that connect, each with a core and a window of its own. The
// page host imports `start` from here and runs it on the page's own window.
import { keep, start } from './runtime.js';
import { ACTS, ALWAYS, AWAY, FIRST, SIZES } from './protocol.js';
import { inherit, Mirror, origin, QUEUE } from './mirror.js';
export { start };

const LAST_MS = 100; // the last message of a page may come after its lock is free
const KEEP_MS = 3000; // until the visit has what it needs; a page that is still there may keep more
const DISPOSE_MS = 30_000; // a page that is gone stays as long as events of it wait

/** The core of one page. Messages wait until Python is there. */
class Core {
  constructor(port, bridge, keep) {
    this.keep = keep;
    this.port = port;
    this.acts = [];
    this.waiting = [];
    this.told = '';
    bridge.then(
      (module) => {
        this.module = module;
        for (const message of this.waiting.splice(0)) this.receive(message);
      },
      (error) => this.act(ACTS.failed, String(error)),
    );
  }

  act(...act) {
    if (!this.acts.length) queueMicrotask(() => this.flush());
    this.acts.push(act);
  }

  flush() {
    if (this.mirror?.gone) return void this.acts.splice(0);
    if (this.mirror) {
      const unknown = [...this.mirror.asked].slice(this.mirror.told);
      this.mirror.told += unknown.length;
      const watched = unknown.filter((key) => !QUEUE.test(key));
      if (watched.length) this.acts.push([ACTS.watch, watched]);
      if (this.core) this.acts.push(...this.view());
    }
    this.port.postMessage({ turn: origin.turn, acts: this.acts.splice(0) });
  }

  /** What getters answer, if it changed or calls were handled. */
  view() {
    try {
      const text = this.core.view();
      if (!text || text == this.told) return [];
      this.told = text;
      return [[ACTS.view, text]];
    } catch (error) {
      return [[ACTS.failed, String(error)]];
    }
  }

  receive(message) {
    if (!this.module) return void this.waiting.push(message);
    if (this.mirror?.gone) return this.port.postMessage({ turn: 0, acts: [[ACTS.failed, AWAY]] });
    try {
      this.take(message);
    } catch (error) {
      this.act(ACTS.failed, String(error));
    }
  }

  take({ hello, view, text, asked, life, looked, all, refresh }) {
    if (hello) this.begin(hello, view);
    if (all) this.mirror.renew(all);
    const confirmed = this.mirror.see(view, hello);
    if (confirmed) for (const mirror of origin.pages) mirror.core.soon();
    if (looked) {
      this.mirror.questions[looked]?.(view);
      delete this.mirror.questions[looked];
    } else if (life) this.mirror.happened(life);
    else if (asked) this.act(ACTS.answer, asked, this.core.ask(text));
    else if (text) this.core.post(text);
    if (text || looked || life || refresh) this.soon();
  }

  /** Tell the page where it stands, together with what else happens now. */
  soon() {
    if (!this.acts.length) queueMicrotask(() => this.flush());
    else return;
    this.acts.push(['']);
  }

  begin(hello, view) {
    this.mirror = new Mirror(hello, (...act) => this.act(...act));
    this.mirror.core = this;
    this.mirror.page = view;
    this.core = this.module.start(this.mirror.window(), (text) => this.act(ACTS.say, text));
    origin.pages.add(this.mirror);
    inherit(origin.orphans.splice(0), true);
    if (hello.keep) setTimeout(() => this.mirror.gone || this.keep(), KEEP_MS);
    if (hello.lock) navigator.locks.request(hello.lock, () => setTimeout(() => this.leave(), LAST_MS));
  }

  leave() {
    origin.pages.delete(this.mirror);
    this.mirror.leave();
    const dispose = () => {
      if (!this.core.idle()) return void setTimeout(dispose, DISPOSE_MS);
      this.core.close();
      this.mirror.close();
      this.core.destroy();
      this.core = null;
    };
    setTimeout(dispose, DISPOSE_MS);
  }
}

/** Serve the pages that connect. */
const serve = () => {
  const base = new URL('.', import.meta.url).href;
  // pages look for the name of a shared one
  const lock = (self.SharedWorkerGlobalScope ? __BUILD__ : 'cioHost') + Math.random();
  const held = new Promise((done) => {
    const hold = () => (done(lock), new Promise(() => {}));
    if (navigator.locks) navigator.locks.request(lock, hold).catch(() => done());
    else done();
  });
  const bridge = start(base);
  bridge.catch(() => {});
  const connect = (port) => {
    const core = new Core(port, bridge, () => keep(base));
    port.onmessage = ({ data }) => core.receive(data);
    held.then((held) => core.act(ACTS.alive, __BUILD__, held, [...FIRST, ...ALWAYS, ...SIZES], ALWAYS));
  };
  if (self.SharedWorkerGlobalScope) onconnect = ({ ports: [port] }) => connect(port);
  else connect(self);
};

if (!self.document) serve();
