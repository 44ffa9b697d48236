// What the authenticator shows: cards made from the templates of the page.
"use strict";

const app = find("[data-app]");
const KEPT_FOR = 30 * 24 * 3600 * 1000;

function piece(name) {
  return find(`template[data-piece="${name}"]`).content.firstElementChild.cloneNode(true);
}

function show(selector, visible = true, within = app) {
  for (const element of within.querySelectorAll(selector)) element.hidden = !visible;
}

function fill(card, values) {
  for (const [name, value] of Object.entries(values)) {
    const place = find(`[data-${name}]`, card);
    if (place) place.textContent = value;
  }
}

const moment = (at) =>
  new Date(at).toLocaleString(document.documentElement.lang, {
    dateStyle: "medium",
    timeStyle: "short",
  });

function say(outcome) {
  const status = find("[data-status]", app);
  const words = find('template[data-piece="told"]').content.firstElementChild.dataset;
  status.textContent = words[outcome] ?? words.failed;
  status.hidden = false;
}

/** One request; `answer(decision, number)` is called once. */
function requestCard(account, request, answer) {
  const card = piece("request");
  const title = find("[data-title]", card);
  title.textContent = title.dataset[request.purpose];
  fill(card, {
    person: request.person,
    organisation: account.organisation,
    address: request.address,
    reference: request.reference,
    asked: moment(request.asked),
  });
  show("[data-when-address]", Boolean(request.address), card);
  show("[data-when-reference]", Boolean(request.reference), card);
  const field = card.elements.number;
  field.id = `number-${request.id}`;
  find("[data-label]", card).htmlFor = field.id;
  const error = find("[data-error]", card);
  error.id = `error-${request.id}`;
  card.addEventListener("submit", (event) => {
    event.preventDefault();
    const number = field.value.trim();
    error.hidden = /^\d\d$/.test(number);
    if (error.hidden) {
      answer("approve", number);
      return;
    }
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", error.id);
    field.focus();
  });
  find("[data-not-me]", card).addEventListener("click", () => answer("not_me", ""));
  find("[data-deny]", card).addEventListener("click", () => answer("deny", ""));
  return card;
}

function accountCard(account, remove) {
  const card = piece("account");
  fill(card, { organisation: account.organisation, person: account.person });
  find("[data-forget]", card).addEventListener("click", remove);
  return card;
}

/** Writes the code of this moment into its card, with the seconds it has left. */
async function tickCard(account, card) {
  const seconds = (Date.now() + (account.offset ?? 0)) / 1000;
  const code = await codeAt(account.seed, seconds);
  find("[data-code]", card).textContent = `${code.slice(0, 3)} ${code.slice(3)}`;
  find("progress", card).value = STEP - Math.floor(seconds % STEP);
}

function pastLine(entry) {
  const line = piece("past");
  const outcome = find("[data-outcome]", line);
  outcome.textContent = outcome.dataset[entry.outcome] ?? "";
  const parts = [entry.organisation, entry.person, entry.reference, moment(entry.at)];
  find("[data-text]", line).textContent = parts.filter(Boolean).join(" · ");
  return line;
}

/** History of a month, newest first; what is older is forgotten. */
async function showHistory() {
  const now = Date.now();
  const rows = await readAll("history");
  for (const row of rows.filter(({ at }) => now - at > KEPT_FOR)) await forget("history", row.id);
  const kept = rows.filter(({ at }) => now - at <= KEPT_FOR).reverse();
  find("[data-history]", app).replaceChildren(...kept.map(pastLine));
  show("[data-past]", kept.length > 0);
}

function showAlerts(state) {
  for (const words of app.querySelectorAll("[data-alerts-text]")) {
    words.hidden = words.dataset.alertsText !== state;
  }
  show("[data-turn-on]", state === "off");
  show("[data-turn-off]", state === "on");
}

/** A name to begin with; the person can change it. */
function guessedName() {
  const agent = navigator.userAgent;
  const known = ["iPhone", "iPad", "Android", "Windows", "Macintosh", "Linux"];
  return known.find((name) => agent.includes(name)) ?? "";
}
