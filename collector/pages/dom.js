// Decides how elements are made: text is always text, whoever wrote it.

/** Make an element with attributes and children; strings become text nodes. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false)
      made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const byId = (id) => document.getElementById(id);

const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const EXACT = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23",
});
const FULL = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23",
});
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

/** Time of day; a day that is not today comes first and takes the place of milliseconds. */
export function clock(ms) {
  const date = new Date(ms);
  const today = date.toDateString() === new Date().toDateString();
  return today ? EXACT.format(date) : `${DAY.format(date)}, ${CLOCK.format(date)}`;
}

/** What an event is about, in a few words: its name or the nearest thing its type has. */
export function title(event) {
  const { type, payload } = event;
  const fields = event.fields ?? {};
  const about = {
    page_view: () => fields.page_title,
    page_ping: () => fields.page_title,
    struct: () => [fields.se_category, fields.se_action, fields.se_label].filter(Boolean).join(" · "),
    transaction: () => fields.tr_orderid,
    transaction_item: () => fields.ti_name ?? fields.ti_sku,
    page: () => payload.properties?.title ?? payload.context?.page?.title,
    identify: () => event.userId,
    group: () => event.groupId,
    alias: () => event.previousId && `${event.previousId} → ${event.userId}`,
  }[type];
  const found = (type === "struct" && about()) || (event.name ?? (event.valid ? about?.() : event.reasons[0]));
  return typeof found === "string" ? found : "";
}

export const fullTime = (ms) => (ms === null ? null : FULL.format(new Date(ms)));

/** A long id, short enough for a table; its ends tell ids apart best. */
export const shortId = (id) => (id.length > 22 ? `${id.slice(0, 10)}…${id.slice(-6)}` : id);
