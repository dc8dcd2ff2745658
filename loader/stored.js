// Page side: identity as the stores hold it, for getters before the core is there (I13).

/** What `read` returns, undefined if it throws. */
export const tried = (read) => {
  try {
    return read();
  } catch {
    // denied or damaged: absent
  }
};

export const parsed = (text) => tried(() => JSON.parse(text));

export const cookie = (name) =>
  tried(() => decodeURIComponent(`; ${document.cookie}`.split(`; ${name}=`)[1].split(';')[0]));

export const local = (key) => tried(() => localStorage.getItem(key));

const NAMES = {
  'user.id': 'ajs_user_id',
  'user.anonymousId': 'ajs_anonymous_id',
  'user.traits': 'ajs_user_traits',
  'group.id': 'ajs_group_id',
  'group.traits': 'ajs_group_properties',
};

/** Take all that the tracker keeps out of the browser, if anything is there. */
export const forget = (options) => {
  const known = Object.keys(NAMES).map((what) => keyOf(what, options));
  const prefix = options.snowplow?.cookieName || options.cookieName || '_sp_';
  const ours = (name) =>
    known.includes(name) ||
    new RegExp(__PRECHECK__.keys).test(name) ||
    (name.startsWith(prefix) && /(id|ses)\.[0-9a-f]{4}(\.expires)?$/.test(name));
  for (const name of document.cookie.split(/=[^;]*;? ?/).filter(ours)) {
    const gone = name + '=; max-age=0; path=/';
    document.cookie = gone;
    // a.b.c, b.c and c
    for (let host = location.hostname; host; host = host.replace(/^[^.]*\.?/, ''))
      document.cookie = gone + '; domain=' + host;
  }
  for (const name in localStorage) if (ours(name)) delete localStorage[name];
  delete sessionStorage._sp_tab_id;
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
