// Asks the browser for a passkey and sends what it signed with the form around the button.
// The texts come with the page; without this script the page says that another way is needed.

/** Under which name the page keeps the text for what went wrong. */
const TEXTS = {
  NotAllowedError: "closed",
  AbortError: "closed",
  InvalidStateError: "known",
  NotSupportedError: "unsupported",
  SecurityError: "elsewhere",
};
const EARLIER = 20_000;

class Ceremony {
  constructor(form) {
    this.form = form;
    this.field = form.elements[form.dataset.field];
    this.button = form.querySelector("[data-passkey-button]");
    this.status = form.querySelector("[data-passkey-status]");
    this.options = form.dataset.options ? JSON.parse(form.dataset.options) : null;
    this.waiting = null;
    this.busy = false;
  }

  begin() {
    this.field.value = "";
    if (!this.options || !this.isSupported()) {
      this.say("unsupported");
      return;
    }
    this.say("");
    this.button.hidden = false;
    this.button.addEventListener("click", () => this.ask());
    // A page that comes back from the browser's memory may ask again.
    addEventListener("pageshow", () => {
      this.field.value = "";
      this.busy = false;
    });
    if (this.form.dataset.passkey === "conditional") {
      this.offer();
      if (this.form.dataset.lifetime) this.renewRegularly();
    }
  }

  isSupported() {
    const known = window.PublicKeyCredential;
    const parse = this.isCreating() ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
    return Boolean(known && known[parse] && known.prototype.toJSON && navigator.credentials);
  }

  isCreating() {
    return this.form.dataset.passkey === "create";
  }

  /** The button: asks openly, in place of the quiet offer in the field's list. */
  async ask() {
    if (this.busy) return;
    this.busy = true;
    this.stop();
    this.say("asking");
    try {
      const credential = await this.request({});
      if (credential) this.send(credential);
      else throw new DOMException("", "NotAllowedError");
    } catch (problem) {
      this.busy = false;
      this.say(TEXTS[problem.name] || "failed");
      this.offer();
    }
  }

  /** Where the browser can, passkeys stand in the list of the user ID's field. */
  async offer() {
    if (this.form.dataset.passkey !== "conditional" || this.busy) return;
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
    if (this.busy || this.waiting) return;
    const waiting = (this.waiting = new AbortController());
    try {
      const credential = await this.request({ mediation: "conditional", signal: waiting.signal });
      if (credential) this.send(credential);
    } catch (problem) {
      // Nobody asked for this, so nobody is told that it ended.
    } finally {
      if (this.waiting === waiting) this.waiting = null;
    }
  }

  request(more) {
    if (this.isCreating()) {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(this.options);
      return navigator.credentials.create({ publicKey });
    }
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(this.options);
    return navigator.credentials.get({ publicKey, ...more });
  }

  send(credential) {
    this.busy = true;
    this.say("sending");
    this.field.value = JSON.stringify(credential.toJSON());
    this.form.requestSubmit();
  }

  stop() {
    this.waiting?.abort();
    this.waiting = null;
  }

  /** A challenge is good for a few minutes; a page that stays open gets new ones. */
  renewRegularly() {
    const pause = 1000 * Number(this.form.dataset.lifetime) - EARLIER;
    setInterval(async () => {
      if (this.busy || document.hidden) return;
      const answer = await fetch(this.form.action).catch(() => null);
      if (!answer?.ok || this.busy) return;
      const fresh = await answer.json();
      this.options = fresh.options;
      this.form.elements.challenge.value = fresh.challenge;
      this.stop();
      this.offer();
    }, Math.max(pause, EARLIER));
  }

  say(name) {
    this.status.textContent = this.status.dataset[name] || "";
  }
}

/** Tells the browser which passkeys still work here, so that it forgets the others. */
function signal(element) {
  PublicKeyCredential.signalAllAcceptedCredentials?.(JSON.parse(element.dataset.passkeySignal))
    .catch(() => {});
}

for (const form of document.querySelectorAll("form[data-passkey]")) new Ceremony(form).begin();
if (window.PublicKeyCredential) document.querySelectorAll("[data-passkey-signal]").forEach(signal);
