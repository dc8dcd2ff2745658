// Decides how one event is shown in full: problems, facts and the payload as a tree.

import { element, fullTime, title } from "./dom.js";

const OPEN_DEPTH = 2; // deeper parts of a payload start closed
const OPEN_SIZE = 30; // and so do long ones

/** Fill the panel with an event. `onId` is called with an id that was clicked. */
export function showDetails(panel, event, { onId, onClose }) {
  const parts = [
    element("header", {},
      element("span", { class: "badge", "data-type": event.type ?? "" }, event.type ?? "unreadable"),
      element("h2", { id: "details-title" }, event.valid || event.name ? title(event) : "Bad event"),
      element("button", { type: "button", class: "close", "aria-label": "Close", onclick: onClose }, "×"),
    ),
    event.valid ? null : problems(event.reasons),
    facts([
      ["Received", fullTime(event.receivedTime)],
      ["Event time", fullTime(event.eventTime)],
      ["Sent", fullTime(event.sentTime)],
      ["User", idButton(event.userId, onId)],
      ["Anonymous id", idButton(event.anonymousId, onId)],
      ["Session", session(event, onId)],
      ["Network user id", idButton(event.networkUserId, onId)],
      ["Group", idButton(event.groupId, onId)],
      ["Previous id", idButton(event.previousId, onId)],
      ["Message id", event.messageId],
      ["Duplicates", event.duplicates ? String(event.duplicates) : null],
    ]),
    event.notes.length ? section("Notes", list(event.notes)) : null,
    ...(event.fields ? fieldSections(event) : [section("Payload", payload(event.payload))]),
    section("Request", facts([
      ["Address", `${event.request.method} ${event.request.path}${event.request.query ? `?${event.request.query}` : ""}`],
      ["IP", event.ip],
      [event.fields ? "App id" : "Write key", event.writeKey],
      ["Protocol", event.protocol],
      ...event.request.headers,
    ])),
  ];
  panel.replaceChildren(...parts.filter((part) => part !== null));
  panel.hidden = false;
  panel.scrollTop = 0;
}

function problems(reasons) {
  return element("section", { class: "problems" },
    element("h3", {}, reasons.length === 1 ? "1 problem" : `${reasons.length} problems`),
    list(reasons),
  );
}

const list = (texts) => element("ul", {}, ...texts.map((text) => element("li", {}, text)));

/** Show what a Snowplow event says: its own data, its entities, its fields, then how it came. */
function fieldSections({ fields, payload: parameters }) {
  const { unstruct_event, contexts, ...others } = fields;
  const entities = Array.isArray(contexts?.data) ? contexts.data : [];
  for (const name of Object.keys(others))
    if (name.endsWith("_tstamp")) others[name] = fullTime(others[name]);
  return [
    unstruct_event ? section("Event data", selfDescribing(unstruct_event.data)) : null,
    entities.length ? section("Entities", ...entities.map(selfDescribing)) : null,
    section("Fields", payload(others)),
    section("Parameters", folded("as they came", parameters)),
  ];
}

/** Show data below the name of their schema. */
function selfDescribing(value) {
  const schema = value?.schema;
  if (typeof schema !== "string") return payload(value ?? null);
  return element("div", { class: "entity" },
    element("code", { title: schema }, schema.replace(/^iglu:/, "").replace("/jsonschema/", " ")),
    payload(value.data ?? null));
}

/** Show a payload that starts closed. */
function folded(label, value) {
  const shown = element("details", {}, element("summary", {}, label), payload(value));
  return element("div", { class: "tree" }, shown);
}

/** Show a session, with its number in front. */
function session({ sessionId, fields }, onId) {
  if (sessionId === null) return null;
  const count = fields?.domain_sessionidx;
  return element("span", {}, count === undefined ? null : `${count}: `, idButton(sessionId, onId));
}

function section(title, ...content) {
  return element("section", {}, element("h3", {}, title), ...content);
}

function facts(pairs) {
  return element("dl", { class: "facts" },
    ...pairs.filter(([, value]) => value !== null && value !== undefined)
      .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
  );
}

function idButton(id, onId) {
  if (id === null) return null;
  return element("button",
    { type: "button", class: "id", title: "Show this identity", onclick: () => onId(id) }, id);
}

function payload(value) {
  // A body that could not be read is kept as text.
  if (typeof value === "string") return element("pre", { class: "raw" }, value);
  if (value === null || typeof value !== "object")
    return element("div", { class: "tree" }, leaf(value));
  return element("div", { class: "tree" }, ...children(value, 1));
}

const children = (value, depth) =>
  Object.entries(value).map(([key, child]) => node(key, child, depth));

function node(key, value, depth) {
  const label = element("span", { class: "key" }, key);
  if (value === null || typeof value !== "object")
    return element("div", { class: "leaf" }, label, ": ", leaf(value));
  const size = Object.keys(value).length;
  const [left, right] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (size === 0) return element("div", { class: "leaf" }, label, `: ${left}${right}`);
  const unit = `${Array.isArray(value) ? "item" : "member"}${size === 1 ? "" : "s"}`;
  const details = element("details", {},
    element("summary", {}, label,
      element("span", { class: "size" }, `: ${left} ${size} ${unit} ${right}`)));
  // Children are made when they are first seen: a payload can be large.
  const fill = () => {
    if (details.open && details.childElementCount === 1)
      details.append(element("div", { class: "children" }, ...children(value, depth + 1)));
  };
  details.addEventListener("toggle", fill);
  details.open = depth <= OPEN_DEPTH && size <= OPEN_SIZE;
  fill();
  return details;
}

function leaf(value) {
  const kind = value === null ? "null" : typeof value;
  return element("span", { class: kind }, JSON.stringify(value));
}
