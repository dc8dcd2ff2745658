// The page's side of a case: makes calls, and notes what comes of them.
(() => {
  const recorded = { callbacks: {}, list: [] };
  const outcomes = [];
  const fns = {};
  const named = (name) =>
    (fns[name] ||= (...args) => {
      (recorded.callbacks[name] ||= []).push(args);
      recorded.list.push({ name, args });
    });
  const PLUGINS = {
    '@filter_pv': () => ({ filter: (event) => event.e != 'pv' }),
    '@context': () => ({ contexts: () => [{ schema: 'iglu:test.acme/plug/jsonschema/1-0-0', data: { p: 1 } }] }),
  };
  const revived = (value, key) => {
    if (value === '@record' || value === '@all') return named(key);
    if (typeof value == 'string' && PLUGINS[value]) return PLUGINS[value]();
    if (Array.isArray(value)) return value.map((item) => revived(item, key));
    if (Object(value) !== value) return value;
    if ('$fn' in value) return named(value.$fn);
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, revived(item, name)]));
  };
  const call = ([index, name, args]) => {
    const [object, member] = name.split('.');
    const given = args.map((arg) => revived(arg, name));
    const value = member ? cioanalytics[object]()[member](...given) : cioanalytics[name](...given);
    const outcome = { index, name, value };
    outcomes.push(outcome);
    if (value == cioanalytics) outcome.value = '<cioanalytics>';
    if (typeof value?.then != 'function') return;
    outcome.value = { pending: true };
    outcome.done = value.then(
      (resolved) => (outcome.value = { resolved }),
      (error) => (outcome.value = { rejected: error.message }),
    );
  };
  window.recorded = {
    make: (calls) => calls.forEach(call),
    settled: () => Promise.all(outcomes.map(({ done }) => done)),
    // until nothing waits, or for a moment where something has to
    sent: async () => {
      const pause = (ms) => new Promise((done) => setTimeout(done, ms));
      for (let n = 0; n < 10; n++) {
        const waits = await Promise.race([cioanalytics.queue(), pause(500)]);
        await pause(130); // what was sent is taken out of storage
        if (!waits?.pending) return;
      }
    },
    observe: () => ({
      ...recorded,
      outcomes: outcomes.map(({ index, name, value }) => [index, name, value]),
      cookies: clock.cookies,
    }),
  };
})();
