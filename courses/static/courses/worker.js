// The service worker of /courses/: pages come from the network; without one, the lesson that was
// opened last is shown from the phone, and player.js puts the right card into it. Pictures, styles
// and scripts bear a hash in their address, so what is kept of them is never stale.
const STORE = "ropes-courses";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname.split("/").length === 5) {
    event.respondWith(fetch(request).catch(() => caches.match("/courses/shell").then((kept) => kept ?? Response.error())));
  } else if (url.pathname.startsWith("/static/") || url.pathname.startsWith("/courses/media/")) {
    event.respondWith(caches.match(request, { ignoreVary: true }).then((kept) => kept ?? fetch(request)));
  }
});
