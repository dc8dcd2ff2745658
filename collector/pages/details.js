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
      ["Group", idButton(event.groupId, onId)],
      ["Previous id", idButton(event.previousId, onId)],
      ["Message id", event.messageId],
      ["Duplicates", event.duplicates ? String(event.duplicates) : null],
    ]),
    section("Payload", payload(event.payload)),
    section("Request", facts([
      ["Address", `${event.request.method} ${event.request.path}${event.request.query ? `?${event.request.query}` : ""}`],
      ["IP", event.ip],
      ["Write key", event.writeKey],
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
    element("ul", {}, ...reasons.map((reason) => element("li", {}, reason))),
  );
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
