// Page side: the rules by which calls change who the visitor is (decisions I5 to I7), applied to what
// the core said last, so that a page reads its own writes. The only rule that exists twice: one table
// of cases, tests/data/identity.json, is run against both.

const ID = ['string', 'number'];

/** The id that a value means: null clears, undefined is none. */
const idOf = (value) =>
  value == null || value === '' ? null : ID.includes(typeof value) ? String(value) : undefined;

const isObject = (value) => value && typeof value == 'object' && !Array.isArray(value);

const setId = (view, kind, value, spare) => {
  const id = idOf(value);
  if (id === undefined) return;
  const was = view[kind + '.id'];
  if (kind == 'user' && id != null && was != null && id != was) view['user.anonymousId'] = spare;
  view[kind + '.id'] = id;
};

const setTraits = (view, kind, value) => {
  if (value != null && !isObject(value)) return;
  const name = kind + '.traits';
  const values = Object.values(value || {});
  if (values.length && values.every((each) => each === '')) {
    view[name] = Object.fromEntries(Object.entries(view[name]).filter(([key]) => !(key in value)));
  } else view[name] = value || {};
};

const setAnonymousId = (view, value, spare) => {
  const id = idOf(value);
  if (id !== undefined) view['user.anonymousId'] = id ?? spare;
};

const clear = (view, kind, spare) => {
  view[kind + '.id'] = null;
  view[kind + '.traits'] = {};
  if (kind == 'user') view['user.anonymousId'] = spare;
};

/** `identify` and `group`: the first text is the id, else the first number; then the traits. */
const entity = (view, kind, args, spare) => {
  const given = args.find((arg) => typeof arg == 'string') ?? args.find((arg) => typeof arg == 'number');
  const id = given === undefined ? view[kind + '.id'] : String(given);
  const traits = args.find((arg, place) => isObject(arg) || (arg === null && place > 0));
  const same = view[kind + '.id'] == null || view[kind + '.id'] == id;
  const merged = { ...(same ? view[kind + '.traits'] : {}), ...traits };
  if (id) setId(view, kind, id, spare);
  view[kind + '.traits'] = merged;
};

const RULES = {
  identify: (view, args, spare) => entity(view, 'user', args, spare),
  group: (view, args, spare) => entity(view, 'group', args, spare),
  reset: (view, args, spare) => (clear(view, 'user', spare), clear(view, 'group')),
  setAnonymousId: (view, [value], spare) => setAnonymousId(view, value, spare),
  'user.anonymousId': (view, [value], spare) => setAnonymousId(view, value, spare),
};
for (const kind of ['user', 'group']) {
  RULES[kind + '.id'] = (view, [value], spare) => setId(view, kind, value, spare);
  RULES[kind + '.traits'] = (view, [value]) => setTraits(view, kind, value);
  for (const name of ['.logout', '.reset']) RULES[kind + name] = (view, _, spare) => clear(view, kind, spare);
}

/** What a setter answers after it: nothing if it was given nothing, or what it does not take. */
export const answered = (view, method, value) => {
  if (method.endsWith('traits')) return value == null || isObject(value) ? view[method] : {};
  return idOf(value) == null ? null : view[method];
};

/** Whether a call can change who the visitor is. */
export const changes = (method) => method in RULES;

/**
 * What the getters answer after a call, by their names. `view` is what they answered before it;
 * `spare` is the anonymous id that the call makes if it needs a new one; without one it is not known.
 */
export const applied = (view, method, args, spare = view['user.anonymousId']) => {
  const now = { ...view };
  const off = (kind) => view.disabled?.includes(kind);
  RULES[method]?.(now, args, spare);
  for (const kind of ['user', 'group']) {
    for (const name in view) if (off(kind) && name.startsWith(kind + '.')) now[name] = view[name];
  }
  return view.hidden ? view : now;
};
