// Sends the form of a page that waits for a decision elsewhere once it is there.
"use strict";

const WAIT = 2000;
const PATIENT = 10000;

async function isWaiting(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  const { waiting } = await answer.json();
  return waiting;
}

async function follow(form) {
  let wait = WAIT;
  try {
    if (!(await isWaiting(form.dataset.approval))) {
      form.requestSubmit();
      return;
    }
  } catch {
    // No network, or a page that asks to sign in: the button is still there.
    wait = PATIENT;
  }
  setTimeout(follow, wait, form);
}

for (const form of document.querySelectorAll("form[data-approval]")) {
  const note = form.querySelector("[data-waits]");
  if (note) note.hidden = false;
  setTimeout(follow, WAIT, form);
}
