// Page side: identity as the stores hold it, for getters before the core is there (I13).

/** What `read` returns, undefined if it throws. */
export const tried = (read) => {
  try {
    return read();
  } catch {
    // denied or damaged: absent
  }
};

/** The value of a JSON text; what cannot be one is not tried, as an error costs a page 2 ms. */
export const parsed = (text) => (/^[[{"\dtfn-]/.test(text) ? tried(() => JSON.parse(text)) : void 0);

/** The value of a cookie, '' if there is none. */
export const cookie = (name) =>
  tried(() => decodeURIComponent((`; ${document.cookie}`.split(`; ${name}=`)[1] || '').split(';')[0]));

export const local = (key) => tried(() => localStorage.getItem(key));

export const NAMES = {
  'user.id': 'ajs_user_id',
  'user.anonymousId': 'ajs_anonymous_id',
  'user.traits': 'ajs_user_traits',
  'group.id': 'ajs_group_id',
  'group.traits': 'ajs_group_properties',
};

/** The key under which local storage holds what a getter answers. */
export const keyOf = (what, options) => {
  const [kind, field] = what.split('.');
  const own = options?.[kind]?.[field == 'traits' ? 'localStorage' : 'cookie'];
  return (field != 'anonymousId' && own?.key) || NAMES[what];
};

/** The stored answer of a getter: text or null for ids, an object for traits. */
export const stored = (what, options) => {
  const key = keyOf(what, options);
  if (what.endsWith('traits')) return parsed(local(key)) || {};
  return (
    [cookie(key), local(key)]
      .map((text) => (text?.[0] == '"' ? parsed(text) : text))
      .find((text) => text && text != 'null') || null
  );
};

/** What a getter answers if there is nothing. */
export const nothing = (what) => (what.endsWith('traits') ? {} : null);
