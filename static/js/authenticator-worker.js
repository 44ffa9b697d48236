// Runs without a page: shows that something waits, and what the app has when it is offline.
"use strict";

const { version, files, offline } = self.kept;
const SHELF = `authenticator-${version}`;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(SHELF)
      .then((shelf) => shelf.addAll(files))
      .then(() => self.skipWaiting()),
  );
});

async function clearShelves() {
  for (const name of await caches.keys()) if (name !== SHELF) await caches.delete(name);
  await self.clients.claim();
}

self.addEventListener("activate", (event) => event.waitUntil(clearShelves()));

/** The network first: a page of the app is never older than it has to be. */
async function answer(request) {
  try {
    return await fetch(request);
  } catch (failure) {
    const shelf = await caches.open(SHELF);
    const found =
      request.mode === "navigate"
        ? await shelf.match(offline)
        : await shelf.match(request, { ignoreSearch: true });
    if (found) return found;
    throw failure;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET") event.respondWith(answer(request));
});

function wordsOf(data) {
  try {
    return data?.json() ?? {};
  } catch {
    return {};
  }
}

self.addEventListener("push", (event) => {
  const { title, body } = wordsOf(event.data);
  const shown = self.registration.showNotification(title || "Authenticator", {
    body: body || "",
    tag: "waiting",
    renotify: true,
    icon: files.find((name) => name.includes("authenticator-192")),
  });
  event.waitUntil(shown);
});

/** The app that is open comes to the front; else it is opened. */
async function bringUp() {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const known = windows.find(({ url }) => new URL(url).pathname.startsWith("/authenticator/"));
  if (!known) return self.clients.openWindow("/authenticator/");
  known.postMessage("look");
  return known.focus();
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(bringUp());
});
