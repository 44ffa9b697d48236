// Improves the portal's pages; every one of them works without this script too.
"use strict";

const find = (selector, within = document) => within.querySelector(selector);

function focusErrors() {
  const summary = find("[data-summary]");
  if (!summary) return;
  summary.focus();
  summary.addEventListener("click", (event) => {
    const field = event.target.hash && document.getElementById(event.target.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    field.focus();
  });
}

/** A page that a form led to takes the address where it is shown: loading it again sends nothing. */
function takeAddress() {
  const { here, posted } = document.body.dataset;
  if (posted !== undefined) history.replaceState(null, "", here);
}

/** With a script that does this, a step may be answered with the next page at once. */
function askForPage(form) {
  const { here } = document.body.dataset;
  form.addEventListener("submit", () => {
    const address = new URL(form.action);
    if (!here || !address.pathname.startsWith(here)) return;
    address.searchParams.set("direct", "1");
    form.action = address.href;
  });
}

/** A form is sent once; after 8 s without an answer it may be sent again. */
function sendOnce(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 8000);
  });
}

/** What the field carries: the challenge with the number that solves it. */
function solved(challenge, number, started) {
  const { algorithm, challenge: digest, salt, signature } = challenge;
  const took = Math.round(performance.now() - started);
  return btoa(JSON.stringify({ algorithm, challenge: digest, number, salt, signature, took }));
}

/** Solves the proof of work while the person types; sends by itself if they were faster. */
function proveAPerson(form) {
  const challenge = JSON.parse(form.dataset.challenge);
  const status = find("[data-checking]", form);
  let started = 0;
  let worker;
  let busy = true;
  let pressed = false;

  function start() {
    if (worker) return;
    started = performance.now();
    worker = new Worker(form.dataset.worker);
    worker.onmessage = ({ data }) => finish(data);
    worker.onerror = () => finish(null);
    setTimeout(finish, 20000, null);
    worker.postMessage(challenge);
  }

  function finish(number) {
    if (!busy) return;
    busy = false;
    worker.terminate();
    // Without a number the waiting ticket goes alone, as it does without JavaScript.
    if (number !== null) form.elements.altcha.value = solved(challenge, number, started);
    if (pressed) form.requestSubmit();
  }

  form.addEventListener("focusin", start);
  form.addEventListener("submit", (event) => {
    if (!busy) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    pressed = true;
    status.textContent = status.dataset.checking;
    start();
  });
}

/** The keyboard and the autofill that suit the chosen method. */
function followMethod(form) {
  const contact = form.elements.contact;
  const follow = () => {
    const kind = find("[data-contact]:checked", form)?.dataset.contact;
    if (!contact || !kind) return;
    contact.inputMode = contact.autocomplete = kind === "phone" ? "tel" : "email";
  };
  form.addEventListener("change", follow);
  follow();
}

/** Where the browser can read the text message, it offers to fill in the code. */
function receiveCode(form) {
  if (!("OTPCredential" in window)) return;
  const stop = new AbortController();
  form.addEventListener("submit", () => stop.abort());
  navigator.credentials
    .get({ otp: { transport: ["sms"] }, signal: stop.signal })
    .then((message) => {
      form.elements.code.value = message.code;
      find(".primary", form).focus();
    })
    .catch(() => {});
}

function countDown(form) {
  const text = find("[data-wait]", form);
  if (!text) return;
  const button = find("button", form);
  const end = Date.now() + 1000 * form.dataset.resendIn;
  // Announced once, at the end: not every second.
  text.setAttribute("aria-live", "off");
  button.disabled = true;
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left <= 0) {
      clearInterval(timer);
      button.disabled = false;
      text.setAttribute("aria-live", "polite");
      text.textContent = text.dataset.ready;
      return;
    }
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    text.textContent = text.dataset.wait.replace("{time}", time);
  };
  const timer = setInterval(tick, 1000);
  tick();
}

function showPassword(form, field) {
  const button = find("[data-show]", form);
  const status = find("[data-shown]", form);
  const set = (shown) => {
    field.type = shown ? "text" : "password";
    button.textContent = shown ? button.dataset.hide : button.dataset.show;
    button.setAttribute("aria-label", shown ? button.dataset.hideLabel : button.dataset.showLabel);
  };
  button.hidden = false;
  set(false);
  button.addEventListener("click", () => {
    set(field.type === "password");
    status.textContent = field.type === "text" ? status.dataset.shown : status.dataset.hidden;
  });
  form.addEventListener("submit", () => set(false));
}

/** Only what needs no list and no name is judged here; a password never leaves before it is sent. */
function tickRequirements(form, field) {
  const entra = form.dataset.rules === "entra";
  const rules = {
    length: (password) => [...password].length >= Number(form.dataset.min),
    classes: (password) =>
      [/[a-z]/, /[A-Z]/, /[0-9]/, /[ -/:-@[-`{-~]/].filter((set) => set.test(password)).length >= 3,
    characters: (password) => password && (entra ? /^[ -~]+$/ : /^\P{Cc}+$/u).test(password),
  };
  const judge = () => {
    for (const item of form.querySelectorAll("[data-rule]")) {
      const met = Boolean(rules[item.dataset.rule]?.(field.value));
      const note = find("[data-met]", item);
      item.classList.toggle("met", met);
      note.textContent = met ? ` ${note.dataset.met}` : "";
    }
  };
  field.addEventListener("input", judge);
  judge();
}

let polls = 0;

async function poll(box) {
  // Most directories answer at once; one that does not is asked less often.
  polls += 1;
  let wait = polls < 8 ? 400 : 1500;
  try {
    const answer = await fetch(box.dataset.poll, { headers: { Accept: "application/json" } });
    const { state } = await answer.json();
    if (state !== document.body.dataset.state) {
      location.replace(find("a", box).href);
      return;
    }
  } catch {
    wait = 5000;
  }
  setTimeout(poll, wait, box);
}

function goOn(box) {
  const { continueIn, continueTo } = box.dataset;
  setTimeout(() => location.replace(continueTo || location.href), 1000 * continueIn);
}

const each = (selector, improve) => document.querySelectorAll(selector).forEach(improve);

takeAddress();
focusErrors();
each("form[method=post]", askForPage);
each("form[data-challenge]", proveAPerson);
each("form[method=post]", sendOnce);
each("form[data-methods]", followMethod);
each("form[data-text-message]", receiveCode);
each("form[data-resend-in]", countDown);
each("form[data-password]", (form) => {
  const chosen = form.elements.new_password;
  showPassword(form, chosen || form.elements.password);
  if (chosen) tickRequirements(form, chosen);
});
each("[data-poll]", poll);
each("[data-continue-in]", goOn);

// A page that comes back from the browser's memory carries what was spent already.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
