// The authenticator: sets a device up, asks what waits for it, and answers.
"use strict";

const API = "/authenticator/api/";
const ASK_EVERY = 3000;
const cards = new Map();

async function enrolDevice(form, scanned) {
  const typed = (scanned?.code ?? form.elements.code.value).toUpperCase();
  const code = [...typed].filter((sign) => /[A-Z0-9]/.test(sign)).join("");
  if (!code) return "empty";
  const { privateKey, key } = await makeKeys();
  const signature = await signLines(privateKey, ["sspr authenticator enrolment 1", code, key]);
  const answer = await fetch(`${API}enrol/`, {
    method: "POST",
    credentials: "omit",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      tenant: scanned?.tenant ?? "",
      user_id: form.elements.user_id?.value ?? "",
      name: form.elements.name.value,
      code,
      key,
      signature,
    }),
  });
  const found = await answer.json();
  if (!answer.ok) return "code";
  const { device, person, organisation, manifest, now, seed } = found;
  const offset = now - Date.now();
  const account = { device, person, organisation, manifest, offset, privateKey };
  await keep("accounts", { ...account, seed: await sealSeed(seed) });
  // Without it the browser may throw the keys away when space gets short.
  await navigator.storage?.persist?.();
  return "";
}

function enrolPage(form) {
  const [tenant, code] = location.hash.slice(1).split(".");
  const scanned = code ? { tenant, code } : null;
  if (scanned) history.replaceState(null, "", location.pathname);
  show("[data-typed]", !scanned, form);
  show("[data-scanned]", Boolean(scanned), form);
  form.elements.name.value = guessedName();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = find("button", form);
    const words = find("[data-problem]", form);
    button.disabled = true;
    const problem = await enrolDevice(form, scanned).catch(() => "failed");
    if (!problem) {
      location.assign(form.action);
      return;
    }
    button.disabled = false;
    words.textContent = words.dataset[problem];
  });
}

async function answerRequest(account, request, decision, number) {
  const card = cards.get(request.id);
  const buttons = [...card.querySelectorAll("button")];
  for (const button of buttons) button.disabled = true;
  try {
    const body = await decisionOf(account, request, decision, number);
    const { outcome } = await sendSigned(account, `${API}decide/`, body);
    say(outcome ?? "failed");
    if (!outcome) throw new Error("no outcome");
    card.remove();
    const { organisation, person } = account;
    const { reference } = request;
    await keep("history", { organisation, person, reference, outcome, at: Date.now() });
    await showHistory();
  } catch {
    say("failed");
    for (const button of buttons) button.disabled = false;
  }
}

/** Cards stay as they are while their request does, so that what was typed is not lost. */
function showRequests(account, requests) {
  const place = find("[data-requests]", app);
  for (const request of requests) {
    if (cards.has(request.id)) continue;
    const card = requestCard(account, request, (decision, number) =>
      answerRequest(account, request, decision, number),
    );
    cards.set(request.id, card);
    place.append(card);
  }
}

function closeGone(alive) {
  for (const [id, card] of cards) if (!alive.has(id)) card.remove();
  show("[data-nothing]", !find("[data-requests]", app).childElementCount);
}

function showState(card, found) {
  show("[data-unknown]", found.status === 401, card);
  show("[data-unproved]", found.proved === false, card);
  show("[data-paused]", Boolean(found.paused), card);
}

async function askAll(accounts) {
  const alive = new Set();
  for (const { account, card } of accounts) {
    const found = await sendSigned(account, `${API}pending/`, {});
    showState(card, found);
    const requests = found.requests ?? [];
    for (const { id } of requests) alive.add(id);
    showRequests(account, requests);
  }
  closeGone(alive);
}

async function keepAsking(accounts) {
  if (document.visibilityState === "visible") {
    // Without a network the page stays as it is.
    await askAll(accounts).catch(() => {});
  }
  setTimeout(keepAsking, ASK_EVERY, accounts);
}

async function tellAll(accounts, subscription) {
  for (const { account } of accounts) {
    const { status } = await sendSigned(account, `${API}alerts/`, { subscription });
    if (status !== 200) throw new Error("not taken");
  }
}

/** Asked for only here, after "Turn on alerts" was pressed. */
async function turnOn(accounts) {
  try {
    if ((await Notification.requestPermission()) !== "granted") throw new Error("refused");
    const registration = await navigator.serviceWorker.ready;
    const subscription = await registration.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: fromBase64(app.dataset.pushKey),
    });
    await tellAll(accounts, subscription.toJSON());
    showAlerts("on");
  } catch {
    showAlerts("refused");
  }
}

async function turnOff(accounts) {
  await tellAll(accounts, null).catch(() => {});
  const registration = await navigator.serviceWorker.ready;
  const subscription = await registration.pushManager.getSubscription();
  await subscription?.unsubscribe();
  showAlerts("off");
}

async function offerAlerts(accounts) {
  if (!("PushManager" in window) || !("Notification" in window)) return;
  show("[data-alerts]");
  const registration = await navigator.serviceWorker.ready;
  const subscription = await registration.pushManager.getSubscription().catch(() => null);
  showAlerts(subscription ? "on" : "off");
  find("[data-turn-on]", app).addEventListener("click", () => turnOn(accounts));
  find("[data-turn-off]", app).addEventListener("click", () => turnOff(accounts));
}

function showAccounts(rows) {
  const place = find("[data-accounts]", app);
  const accounts = rows.map((account) => {
    const card = accountCard(account, async () => {
      await forget("accounts", account.device);
      location.reload();
    });
    return { account, card };
  });
  place.replaceChildren(...accounts.map(({ card }) => card));
  const tick = () => {
    for (const { account, card } of accounts) tickCard(account, card);
  };
  tick();
  setInterval(tick, 1000);
  return accounts;
}

async function appPage() {
  const offline = "offline" in app.dataset;
  const rows = await readAll("accounts");
  show("[data-empty]", !rows.length && !offline);
  show("[data-offline-note]", offline);
  show("[data-more]", rows.length > 0 && !offline);
  show("[data-codes]", rows.length > 0);
  await showHistory();
  const accounts = showAccounts(rows);
  if (!rows.length || offline) return;
  const link = find("link[rel=manifest]");
  const own = rows[0].manifest;
  if (own && app.dataset.shared !== undefined) link.href = own;
  show("[data-waiting]");
  keepAsking(accounts);
  offerAlerts(accounts).catch(() => {});
  // A tapped notification brings this page to the front.
  navigator.serviceWorker.addEventListener("message", () => askAll(accounts).catch(() => {}));
}

async function begin() {
  if (!app) return;
  if (!globalThis.crypto?.subtle || !globalThis.indexedDB) {
    find("[data-unsupported]").hidden = false;
    return;
  }
  app.hidden = false;
  const { worker } = app.dataset;
  navigator.serviceWorker?.register(worker, { scope: "/authenticator/" }).catch(() => {});
  const form = find("[data-enrol]", app);
  if (form) enrolPage(form);
  else await appPage();
}

begin();
