// The keys of this device, where they are kept, and what is signed and computed with them.
// No private key and no plain seed ever leaves the browser's key store.
"use strict";

const STORE = "sspr-authenticator";
const EC = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const STEP = 30;
const text = new TextEncoder();
const lastStamps = new Map();

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function openStore() {
  const request = indexedDB.open(STORE, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("accounts", { keyPath: "device" });
    request.result.createObjectStore("history", { keyPath: "id", autoIncrement: true });
  };
  return settled(request);
}

async function inStore(name, mode, act) {
  const store = await openStore();
  try {
    return await settled(act(store.transaction(name, mode).objectStore(name)));
  } finally {
    store.close();
  }
}

const readAll = (name) => inStore(name, "readonly", (rows) => rows.getAll());
const keep = (name, row) => inStore(name, "readwrite", (rows) => rows.put(row));
const forget = (name, key) => inStore(name, "readwrite", (rows) => rows.delete(key));

function toBase64(data) {
  const letters = String.fromCharCode(...new Uint8Array(data));
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromBase64(given) {
  const letters = atob(given.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

function fromBase32(given) {
  const bits = [...given]
    .map((sign) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(sign).toString(2).padStart(5, "0"))
    .join("");
  const bytes = bits.match(/.{8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => parseInt(byte, 2));
}

const hex = (data) =>
  [...new Uint8Array(data)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function signLines(key, lines) {
  return toBase64(await crypto.subtle.sign(SIGNING, key, text.encode(lines.join("\n"))));
}

/** A key pair whose private half can't be read out, and the other half as it is sent. */
async function makeKeys() {
  const pair = await crypto.subtle.generateKey(EC, false, ["sign"]);
  const key = toBase64(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { privateKey: pair.privateKey, key };
}

/** The seed of the codes under a key that can't be read out either. */
async function sealSeed(seed) {
  const wrap = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, wrap, fromBase32(seed));
  return { wrap, iv, sealed };
}

/** The code of a moment (RFC 6238, six digits), in seconds since 1970. */
async function codeAt({ wrap, iv, sealed }, seconds) {
  const seed = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, wrap, sealed);
  const key = await crypto.subtle.importKey("raw", seed, { name: "HMAC", hash: "SHA-1" }, false, [
    "sign",
  ]);
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(Math.floor(seconds / STEP)));
  const mac = new DataView(await crypto.subtle.sign("HMAC", key, counter));
  const at = mac.getUint8(19) & 15;
  return String((mac.getUint32(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** Milliseconds by the server's clock, never the same twice. */
function nextStamp(account) {
  const now = Date.now() + (account.offset ?? 0);
  const stamp = Math.max(Math.round(now), (lastStamps.get(account.device) ?? 0) + 1);
  lastStamps.set(account.device, stamp);
  return String(stamp);
}

async function sendOnceSigned(account, path, body) {
  const content = JSON.stringify(body);
  const digest = hex(await crypto.subtle.digest("SHA-256", text.encode(content)));
  const stamp = nextStamp(account);
  const lines = ["sspr authenticator request 1", account.device, "POST", path, digest, stamp];
  return fetch(path, {
    method: "POST",
    credentials: "omit",
    body: content,
    headers: {
      "Content-Type": "application/json",
      "Sspr-Device": account.device,
      "Sspr-Stamp": stamp,
      "Sspr-Signature": await signLines(account.privateKey, lines),
    },
  });
}

/** A request this device signs. Where only the clock was wrong it is sent once more. */
async function sendSigned(account, path, body) {
  for (let again = 2; ; again -= 1) {
    const answer = await sendOnceSigned(account, path, body);
    const found = await answer.json();
    const late = answer.status === 401 && ["clock", "replayed"].includes(found.error);
    if (!late || !again) return { status: answer.status, ...found };
    account.offset = found.now - Date.now();
    await keep("accounts", account);
  }
}

/** The decision, signed over everything that makes it this one. */
async function decisionOf(account, request, decision, number) {
  const lines = ["sspr authenticator decision 1", request.challenge, request.tenant, number, decision];
  const signature = await signLines(account.privateKey, lines);
  return { request: request.id, decision, number, signature };
}
