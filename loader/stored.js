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

/** The stored answer of a getter: text or null for ids, an object for traits. */
export const stored = (what, options) => {
  const [kind, field] = what.split('.');
  const own = options?.[kind];
  if (field == 'traits') return parsed(local(own?.localStorage?.key || NAMES[what])) || {};
  const key = (field == 'id' && own?.cookie?.key) || NAMES[what];
  return (
    [cookie(key), local(key)]
      .map((text) => (text?.[0] == '"' ? parsed(text) : text))
      .find((text) => text && text != 'null') || null
  );
};
