// Page side: identity as the stores hold it, for getters before the core is there (I13).

const tried = (read) => {
  try {
    return read();
  } catch {
    // denied or damaged: absent
  }
};

export const cookie = (name) =>
  tried(() => decodeURIComponent(('; ' + document.cookie).split('; ' + name + '=')[1].split(';')[0]));

const local = (key) => tried(() => localStorage.getItem(key));
const json = (text) => tried(() => JSON.parse(text));

// what: ['user.id', …]; options: those of load, as far as they are known
const NAMES = {
  'user.id': 'ajs_user_id',
  'user.anonymousId': 'ajs_anonymous_id',
  'user.traits': 'ajs_user_traits',
  'group.id': 'ajs_group_id',
  'group.traits': 'ajs_group_properties',
};

/** The stored answer of a getter: text or null for ids, an object for traits. */
export const stored = (what, options = {}) => {
  const [kind, field] = what.split('.');
  const own = options[kind] || {};
  if (field == 'traits') {
    const traits = json(local(own.localStorage?.key || NAMES[what]));
    return traits && typeof traits == 'object' ? traits : {};
  }
  const key = (field == 'id' && own.cookie?.key) || NAMES[what];
  return [cookie(key), local(key)].map((text) => (text?.[0] == '"' ? json(text) : text))
    .find((text) => text && text != 'null') || null;
};
