// Both sides: the messages between a page and a core that lives in a worker. The JSON texts inside
// are those of tracker/bridge.py, the same in every host.
//
// Page to worker, one object; `view` is the page as it was when the message left it:
//   {hello, view}               the first message of a page: its lock, what it keeps, FIRST
//   {text, view}                calls, or answers to `run` messages
//   {asked: id, text, view}     a getter that needs the core; answered by the act `answer`
//   {life: type, view}          pagehide, pageshow, online or visibilitychange happened
//   {refresh: true, view}       something changed: what do getters answer now?
//   {looked: id, all, view}     the view that the act `look` asked for, and all that is kept in its area
//   {view}                      writes were applied
//
// Worker to page: {turn, acts: [[act, …arguments], …]}, done in order. `turn` counts writes that
// pages have confirmed; a view says which turn its page knew, and so what it can have seen.
export const ACTS = {
  alive: 'alive', // build, lock, FIRST: the worker runs; it holds this lock as long as it lives
  failed: 'failed', // reason: Python cannot start, or broke
  say: 'say', // text: a message of the core
  write: 'write', // number, area, key, value: keep a value; `area` cookie takes an assignment
  look: 'look', // id, area: send a view, and what an area of storage holds if one is named
  watch: 'watch', // keys of local storage that views show
  see: 'see', // members of window that views show: ALWAYS, then SIZES
  address: 'address', // href: history.replaceState
  console: 'console', // level, text
  view: 'view', // identity and getters as the core knows them, and the calls it has handled
  answer: 'answer', // id, text
};

/** The reason of `failed` for a page that was gone and came back: it begins anew. */
export const AWAY = 'away';

const paths = (...texts) => texts.join(' ').split(' ');

/** Members of `window` that a page shows with its first message; of an object, that it is there. */
export const FIRST = paths(
  'navigator.userAgent navigator.language navigator.userLanguage navigator.cookieEnabled',
  'navigator.webdriver navigator.deviceMemory navigator.hardwareConcurrency',
  'navigator.doNotTrack navigator.msDoNotTrack navigator.globalPrivacyControl',
  'navigator.userAgentData screen.width screen.height screen.colorDepth doNotTrack',
  'document.characterSet SnowplowWebInterfaceV2 webkit.messageHandlers.snowplowV2 ReactNativeWebView',
);

/** Members of `window` that a page shows with every message. */
export const ALWAYS = paths(
  'document.cookie document.visibilityState document.documentElement.lang navigator.onLine',
  'innerWidth innerHeight devicePixelRatio',
);

/** More of them, from when they are asked for first: reading them may make the browser lay out. */
export const SIZES = paths(
  'document.documentElement.scrollWidth document.documentElement.scrollHeight document.body.scrollHeight',
);
