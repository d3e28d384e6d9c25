// Keeps the page itself on the device, so that it opens at a tank without a network.
//
// Only the page and its files are kept, never an answer of the API: what belongs to the store stays in the
// store, except what the tablet page keeps on purpose (its queue, the names of tanks, the vocabularies).
const SHELL = "toji-shell-1";
const PAGE = "/index.html";

/** The files a page names. */
function named(html) {
  return [...html.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css|svg))"/g)].map((match) => match[1]);
}

/** Keeps a page with all its files, or nothing of it. Files no longer named go. */
async function keep(response) {
  const cache = await caches.open(SHELL);
  const files = named(await response.clone().text());
  for (const file of files) if (!(await cache.match(file))) await cache.add(file);
  await cache.put(PAGE, response);
  for (const request of await cache.keys()) {
    const path = new URL(request.url).pathname;
    if (path !== PAGE && !files.includes(path)) await cache.delete(request);
  }
}

async function page(event) {
  try {
    const response = await fetch(event.request);
    if (response.ok && (response.headers.get("content-type") ?? "").startsWith("text/html")) {
      event.waitUntil(keep(response.clone()).catch(() => undefined));
    }
    return response;
  } catch (fault) {
    const kept = await caches.match(PAGE);
    if (kept) return kept;
    throw fault;
  }
}

async function file(request) {
  return (await caches.match(request)) ?? fetch(request);
}

self.addEventListener("install", (event) => {
  event.waitUntil(fetch(PAGE).then(keep).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== SHELL).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin || url.pathname.startsWith("/api/")) return;
  if (event.request.mode === "navigate") event.respondWith(page(event));
  else if (url.pathname.startsWith("/assets/") || url.pathname === "/toji.svg") event.respondWith(file(event.request));
});
