// Page side: what the stub has. start.js takes it from the object that the snippet made.
import * as capture from './capture.js';
import * as stored from './stored.js';

/** What an object's state carries as `t`: snippets that are pasted somewhere keep these names. */
export const tools = {
  freeze: capture.freeze,
  page: capture.page,
  cookie: stored.cookie,
  keyOf: stored.keyOf,
  local: stored.local,
  names: stored.NAMES,
  nothing: stored.nothing,
  parsed: stored.parsed,
  stored: stored.stored,
  tried: stored.tried,
};
