// The console's service worker. It keeps one page, which says that the server cannot be reached, and nothing of any
// conversation: what is shown is always the server's own. And it leads from a notice to what it tells of.
const KEPT = "switchboard-offline-1";
const FILES = ["/console/offline.html", "/console/offline.css", "/console/offline.js", "/console/icon.svg"];

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(KEPT)
      .then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: "reload" }))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const kept = FILES.includes(new URL(request.url).pathname);
  if (request.mode !== "navigate" && !kept) return;
  event.respondWith(fetch(request).catch(() => caches.match(kept ? request : "/console/offline.html").then((page) => page ?? Response.error())));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(lead(event.notification.data.path));
});

// To the console that was looked at last, or to a new one.
async function lead(path) {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find(({ url }) => new URL(url).pathname.startsWith("/console/"));
  if (page === undefined) return self.clients.openWindow(path);
  page.postMessage({ open: path });
  return page.focus();
}
