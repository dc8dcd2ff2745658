// Decides what the page shows: the newest events that match the filters, live.

import { byId, clock, element, fullTime, shortId, title } from "./dom.js";
import { showDetails } from "./details.js";
import { showIdentity } from "./identity.js";

const SHOWN = 300; // rows in the table; older ones are found with filters
const FILTERS = ["type", "valid", "id", "text"];
const form = byId("filters");
const table = byId("rows");
const details = byId("details");

let source = null; // the open stream
let last = 0; // the newest sequence number seen, matching or not
let place = null; // {database, first} as the stream told
let paused = false;
let loading = 0; // number of the latest load; answers to earlier ones are dropped
let selected = null;
let incoming = []; // events that wait for the next frame

const filters = () => {
  const values = FILTERS.map((name) => [name, form.elements[name].value.trim()]);
  return new URLSearchParams(values.filter(([, value]) => value));
};

// ---- data ----

async function ask(path) {
  const response = await fetch(path);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.errors.join("; "));
  return answer;
}

async function load() {
  const mine = ++loading;
  close();
  const query = filters();
  byId("unfilter").hidden = query.size === 0;
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  try {
    const [found] = await Promise.all([
      ask(`/api/events?order=desc&limit=${SHOWN}&${query}`),
      drawIdentity(query.get("id")),
    ]);
    if (mine !== loading) return;
    last = found.last;
    incoming = [];
    table.replaceChildren(...found.events.map(row));
    refresh();
    if (!paused) open();
  } catch (error) {
    if (mine !== loading) return;
    connection("lost", `No answer: ${error.message}`);
    setTimeout(() => mine === loading && load(), 2000);
  }
}

function open() {
  connection("connecting", "Connecting");
  const query = filters();
  query.set("after", last);
  source = new EventSource(`/api/stream?${query}`);
  source.onopen = () => connection("live", "Live");
  source.onerror = () => {
    connection("lost", "Connection lost, trying again");
    // A browser gives up after an answer that is no stream; we do not.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => !paused && source && load(), 2000);
  };
  source.onmessage = (message) => {
    const event = JSON.parse(message.data);
    last = Math.max(last, event.seq);
    if (incoming.push(event) === 1) requestAnimationFrame(showIncoming);
  };
  source.addEventListener("start", settle);
  source.addEventListener("reset", settle);
}

function close() {
  source?.close();
  source = null;
}

/** Forget what the collector has forgotten: events before a reset, or of another database. */
function settle(message) {
  const now = JSON.parse(message.data);
  const other = place !== null && place.database !== now.database;
  if (other || (place !== null && place.first !== now.first)) {
    incoming = incoming.filter((event) => !other && event.seq >= now.first);
    for (const shown of [...table.rows])
      if (other || shown.event.seq < now.first) shown.remove();
    if (selected && (other || selected.seq < now.first)) deselect();
    if (other) last = 0;
    refresh();
  }
  place = now;
}

function showIncoming() {
  const fresh = incoming.slice(-SHOWN).reverse().map(row);
  incoming = [];
  for (const one of fresh) one.classList.add("fresh");
  table.prepend(...fresh);
  while (table.rows.length > SHOWN) table.lastElementChild.remove();
  refresh();
}

// ---- state around the table ----

let counting = false;
let drawn = ""; // the identity that is shown, as text

async function drawIdentity(id) {
  const found = id ? await ask(`/api/identities?${new URLSearchParams({ id })}`) : { identities: [] };
  // Drawing again what is there would take the keyboard's place away.
  if (drawn === JSON.stringify(found)) return;
  drawn = JSON.stringify(found);
  showIdentity(id, found.identities, filterById);
}

/** Bring everything around the table up to date; asks the collector at most every half second. */
function refresh() {
  const empty = table.rows.length === 0;
  const filtered = filters().size > 0;
  byId("empty").hidden = !empty;
  byId("empty-title").textContent = filtered ? "No event matches" : "Waiting for the first event";
  byId("empty-help").hidden = filtered;
  byId("more").hidden = table.rows.length < SHOWN;
  byId("more").textContent = `The newest ${SHOWN} are shown. Use the filters to find older ones.`;
  if (counting) return;
  counting = true;
  setTimeout(async () => {
    counting = false;
    const [stats] = await Promise.all([ask("/api/stats"), drawIdentity(filters().get("id"))])
      .catch(() => [null]); // the connection's state tells that there is no answer
    if (!stats) return;
    for (const name of ["total", "bad", "duplicates"])
      byId(`count-${name}`).textContent = stats[name].toLocaleString();
    byId("counts").classList.toggle("has-bad", stats.bad > 0);
  }, 500);
}

function connection(state, text) {
  byId("connection").dataset.state = state;
  byId("connection").textContent = text;
}

function filterById(id) {
  form.elements.id.value = id;
  load();
}

// ---- the table ----

function row(event) {
  const made = element("tr", { tabindex: "0", "aria-selected": selected?.seq === event.seq ? "true" : "false" },
    element("td", { class: "time", title: fullTime(event.receivedTime) }, clock(event.receivedTime)),
    element("td", { class: "type" },
      element("span", { class: "badge", "data-type": event.type ?? "" }, event.type ?? "unreadable")),
    element("td", { class: event.name ? "name" : "name about" }, title(event)),
    element("td", { class: "who" }, idButton("user", event.userId), idButton("visitor", event.anonymousId)),
    element("td", { class: "page" }, pathOf(event)),
    element("td", { class: "mark" }, event.valid
      ? element("span", { class: "good" }, "good")
      : element("span", { class: "bad", title: event.reasons.join("\n") }, "bad")),
  );
  made.event = event;
  return made;
}

function idButton(kind, id) {
  if (id === null) return null;
  return element("button", {
    type: "button", class: `id ${kind}`, tabindex: "-1", title: `${kind} ${id}`, "data-id": id,
  }, shortId(id));
}

function pathOf({ payload, fields }) {
  const url = fields?.page_url;
  if (url) return URL.parse(url)?.pathname ?? url;
  const path = payload?.properties?.path ?? payload?.context?.page?.path;
  return typeof path === "string" ? path : "";
}

function select(shown) {
  deselect();
  selected = shown.event;
  shown.setAttribute("aria-selected", "true");
  showDetails(details, shown.event, { onId: filterById, onClose: deselect });
  document.body.classList.add("with-details");
}

function deselect() {
  const shown = table.querySelector("[aria-selected=true]");
  shown?.setAttribute("aria-selected", "false");
  selected = null;
  // Hiding the panel must not lose the place of a keyboard user.
  if (details.contains(document.activeElement)) shown?.focus();
  details.hidden = true;
  document.body.classList.remove("with-details");
}

table.addEventListener("click", (click) => {
  const button = click.target.closest("button.id");
  if (button) filterById(button.dataset.id);
  else if (click.target.closest("tr")) select(click.target.closest("tr"));
});

table.addEventListener("keydown", (press) => {
  const shown = press.target.closest("tr");
  const next = { ArrowDown: shown.nextElementSibling, ArrowUp: shown.previousElementSibling }[press.key];
  if (next) {
    next.focus();
    if (selected) select(next);
  } else if (press.key === "Enter" && press.target === shown) {
    select(shown);
    details.focus();
  } else return;
  press.preventDefault();
});

document.addEventListener("keydown", (press) => {
  if (press.key === "Escape" && !byId("confirm").open) deselect();
});

// ---- controls ----

let typing;
form.addEventListener("input", (input) => {
  clearTimeout(typing);
  typing = setTimeout(load, input.target.matches("select") ? 0 : 250);
});
form.addEventListener("submit", (submit) => submit.preventDefault());
form.addEventListener("reset", () => setTimeout(load));

byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  byId("pause").textContent = paused ? "Resume" : "Pause";
  if (paused) {
    close();
    connection("paused", "Paused");
  } else open();
});

byId("reset").addEventListener("click", () => byId("confirm").showModal());
byId("confirm-no").addEventListener("click", () => byId("confirm").close());
byId("confirm-yes").addEventListener("click", async () => {
  byId("confirm").close();
  await fetch("/api/reset", { method: "POST" });
  deselect();
  load();
});

// ---- start ----

byId("empty-options").textContent =
  `cioanalytics.load("write-key", {\n  customerio: { apiHost: "${location.host}/v1", protocol: "${location.protocol.slice(0, -1)}" },\n});`;
byId("empty-curl").textContent =
  `curl ${location.origin}/v1/t -H 'Content-Type: text/plain' \\\n  -d '{"writeKey": "key", "event": "Hello", "anonymousId": "me"}'`;
for (const [name, value] of new URLSearchParams(location.search))
  if (FILTERS.includes(name)) form.elements[name].value = value;
load();
