// The service worker of /courses/: pages come from the network; without one, the lesson that was
// opened last is shown from the phone, and player.js puts the right card into it; any other page is
// one that leads back there. Pictures, styles and scripts bear a hash in their address, so what is
// kept of them is never stale.
const STORE = "ropes-courses";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    const parts = url.pathname.split("/");
    const page = parts.length === 5 && parts[4] && parts[4] !== "done" ? "/courses/shell" : "/courses/offline";
    event.respondWith(fetch(request).catch(() => caches.match(page).then((kept) => kept ?? Response.error())));
  } else if (url.pathname.startsWith("/static/") || url.pathname.startsWith("/courses/media/")) {
    event.respondWith(caches.match(request, { ignoreVary: true }).then((kept) => kept ?? fetch(request)));
  }
});
