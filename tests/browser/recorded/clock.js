// Before everything else in a page: a clock that stands still, and cookies that end by it.
(() => {
  const Real = Date;
  const { get, set } = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
  const base = __BASE__;
  const now = () => base + (Number(name) || 0);
  Date = class extends Real {
    constructor(...args) {
      super(...(args.length ? args : [now()]));
    }
    static now() {
      return now();
    }
  };
  const cookies = {};
  const expires = /; *expires=([^;]*)/i;
  Object.defineProperty(Document.prototype, 'cookie', {
    configurable: true,
    get,
    set(text) {
      const ends = expires.exec(text) ? Real.parse(expires.exec(text)[1]) : null;
      const real = new Real(ends - now() + Real.now()).toUTCString();
      set.call(this, ends ? text.replace(expires, '; Expires=' + real) : text);
      cookies[text.split('=')[0]] = { text, ends, written: now() };
    },
  });
  window.clock = {
    cookies,
    forward(ms) {
      name = (Number(name) || 0) + ms;
      for (const { text, ends } of Object.values(cookies)) {
        if (ends && ends <= now()) set.call(document, text.replace(expires, '') + '; Max-Age=0');
      }
    },
  };
})();
