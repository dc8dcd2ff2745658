// Decides how an identity over time is drawn: a bar per identity on one common time line.

import { byId, clock, element, shortId } from "./dom.js";

/** Show who an id belonged to, or hide the section if nothing is known. `onId` follows an id. */
export function showIdentity(id, identities, onId) {
  const section = byId("identity");
  section.hidden = !identities.length;
  if (section.hidden) return;
  byId("identity-title").replaceChildren("Identity over time of ", element("code", {}, id));
  const start = Math.min(...identities.map((one) => one.firstSeen));
  const end = Math.max(...identities.map((one) => one.lastSeen));
  byId("identity-rows").replaceChildren(
    ...identities.map((one) => row(one, id, start, Math.max(end - start, 1), onId)));
}

function row(one, current, start, span, onId) {
  const bar = element("span", { class: one.userId ? "stretch known" : "stretch" });
  // Positions are set through the object model: the page's policy forbids style attributes.
  bar.style.setProperty("--from", (one.firstSeen - start) / span);
  bar.style.setProperty("--length", (one.lastSeen - one.firstSeen) / span);
  const count = `${one.events} event${one.events === 1 ? "" : "s"}`;
  return element("li", {},
    element("span", { class: "ids" },
      link("user", one.userId, current, onId) ?? element("span", { class: "nobody" }, "anonymous"),
      link("visitor", one.anonymousId, current, onId),
      link("group", one.groupId, current, onId)),
    element("span", { class: "line" }, bar),
    element("span", { class: "when" }, `${period(one)} · ${count}`),
  );
}

function period({ firstSeen, lastSeen }) {
  return firstSeen === lastSeen ? clock(firstSeen) : `${clock(firstSeen)} – ${clock(lastSeen)}`;
}

function link(kind, id, current, onId) {
  if (id === null) return null;
  return element("button", {
    type: "button", class: "id", "aria-current": id === current && "true",
    title: `${kind} ${id}`, onclick: () => onId(id),
  }, element("span", { class: "kind" }, `${kind} `), shortId(id));
}
