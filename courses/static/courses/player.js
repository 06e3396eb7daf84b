// The player where JavaScript runs: answers without a page load, and a lesson that goes on when the
// network is gone. What is answered offline waits in IndexedDB and is sent, in order, when it is
// back, also after a reload. Right answers are never on the phone: feedback comes with the network.
import { openDB } from "../vendor/idb.js";
import { page, script } from "../web/trusted.js";

const opened = openDB("ropes-courses", 1, {
  upgrade(db) {
    db.createObjectStore("waiting", { keyPath: "id", autoIncrement: true });
    db.createObjectStore("cards", { keyPath: "url" });
    db.createObjectStore("facts");
  },
});
const main = () => document.getElementById("main");
const here = () => main()?.dataset.card;
const token = () => document.querySelector("meta[name=csrf-token]");
let sending = null;

/** Say something in the line above the card, politely, and keep it until the next word. */
function say(text) {
  const line = document.querySelector("[data-state]");
  if (!line) return;
  line.textContent = text ?? "";
  line.hidden = !text;
}

/** Put a card (main and foot of a document of ours) in place of the present one. */
function show(found, url, push = true) {
  const incoming = found.getElementById("main");
  if (!incoming) return false;
  const foot = found.querySelector("footer.foot");
  main().replaceWith(incoming);
  document.querySelector("footer.foot")?.remove();
  if (foot) incoming.after(foot);
  if (found.title) document.title = found.title;
  const newer = found.querySelector("meta[name=csrf-token]");
  if (newer) token()?.replaceWith(newer);
  if (push && url !== location.pathname) history.pushState({}, "", url);
  scrollTo(0, 0);
  incoming.focus({ preventScroll: true });
  return true;
}

/** Keep the card as it is shown now: with its feedback, once it has some. */
async function remember() {
  const db = await opened;
  const kept = here() && (await db.get("cards", here()));
  const foot = document.querySelector("footer.foot");
  if (kept && foot) await db.put("cards", { ...kept, html: main().outerHTML + foot.outerHTML });
}

/** Fetch the lesson's cards and keep them, with a page to open them in, for when there is no
    network. Once a lesson and attempt: what is kept of the lesson before makes room. */
async function prefetch() {
  const address = main()?.dataset.pack;
  if (!address) return;
  const lesson = `${address} ${document.getElementById("card")?.elements.attempt?.value}`;
  const db = await opened;
  try {
    if ((await db.get("facts", "lesson")) === lesson) return await remember();
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) return;
    const pack = await answer.json();
    const write = db.transaction(["cards", "facts"], "readwrite");
    const urls = pack.cards.map((card) => card.url);
    await write.objectStore("cards").clear();
    await Promise.all(pack.cards.map((card, place) =>
      write.objectStore("cards").put({ ...card, next: urls[place + 1] ?? null })));
    await write.objectStore("facts").put(pack.end, "end");
    await write.done;
    if ("caches" in window) await keepFiles(pack, answer.headers.get("Content-Security-Policy"));
    await db.put("facts", lesson, "lesson");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // no network just now: the next card tries again
  }
}

/** Keep a page to open the cards in, and the files it needs; forget what other lessons needed. */
async function keepFiles({ media, offline }, policy) {
  const kept = await caches.open("ropes-courses");
  const loaded = [...document.querySelectorAll("link[as=style], link[rel=stylesheet], script[src]")].map((one) => one.href || one.src);
  const beside = ["../vendor/idb.js", "../web/trusted.js"].map((name) => new URL(name, import.meta.url).href);
  const wanted = [...loaded, ...media.map((one) => new URL(one, location.href).href), ...beside];
  for (const one of await kept.keys()) if (!wanted.includes(one.url)) await kept.delete(one);
  for (const one of wanted) if (!(await kept.match(one))) await kept.add(one).catch(() => {});
  const shell = await fetch(location.pathname);
  if (!shell.ok || shell.redirected) return;
  const marked = (await shell.text()).replace('id="main"', 'id="main" data-from-phone');
  await kept.put("/courses/shell", pageOf(marked, shell.headers.get("Content-Security-Policy")));
  await kept.put("/courses/offline", pageOf(offline, policy));
}

/** An answer that holds a page, bound by the policy under which it was made. */
function pageOf(html, policy) {
  const headers = { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" };
  if (policy) headers["Content-Security-Policy"] = policy;
  return new Response(html, { headers });
}

/** Keep what a form says until it can be sent. */
async function keep(form, pairs) {
  const db = await opened;
  await db.add("waiting", { url: new URL(form.action).pathname, person: main().dataset.person, pairs });
}

/** Return what a form says with the moment of the answer, since it is sent later. */
const timed = (pairs, answering) => (answering ? [...pairs, ["answered_at", String(Date.now())]] : pairs);

/** Show the card that follows, from what is on the phone; the end of the lesson after the last. */
async function goOn() {
  const db = await opened;
  const present = await db.get("cards", here());
  if (!present) return false;
  const following = present.next ? await db.get("cards", present.next) : null;
  const html = following ? following.html : await db.get("facts", "end");
  if (!html) return false;
  show(page(html), following ? following.url : location.pathname);
  if (following) await markKept(following.url);
  if (!(await db.count("waiting"))) return true;
  say(main().dataset.kept);
  return true;
}

/** Show on a card that its answer waits on this phone, if it does. */
async function markKept(url) {
  const db = await opened;
  const kept = (await db.getAll("waiting")).find((one) =>
    one.url === url && one.pairs.some(([name, value]) => name === "act" && value === "answer"));
  const form = document.getElementById("card");
  if (!kept || !form) return;
  const chosen = new Set(kept.pairs.filter(([name]) => name === "response").map(([, value]) => value));
  for (const input of form.querySelectorAll("input[name=response]")) {
    input.checked = chosen.has(input.value);
    input.disabled = true;
    input.closest(".choice")?.classList.add("kept");
  }
  form.elements.act.value = "continue";
  const button = document.querySelector("button[form=card]");
  if (button) button.textContent = main().dataset.continue;
  say(`${main().dataset.kept} ${main().dataset.feedback}`);
}

async function submit(event) {
  const form = event.target;
  if (form.id !== "card" || form.method !== "post") return;
  event.preventDefault();
  const button = document.querySelector("button[form=card]");
  if (button?.disabled) return; // a double tap
  const pairs = [...new FormData(form)].map(([name, value]) => [name, String(value)]);
  const answering = pairs.some(([name, value]) => name === "act" && value === "answer");
  if (button) button.disabled = true;
  try {
    const db = await opened;
    if (await db.count("waiting")) {
      await send();
      if (await db.count("waiting")) throw new TypeError("the earlier ones come first");
    }
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(pairs) });
    if (answer.status >= 500) throw new TypeError("it could not be taken just now: as if there were no network");
    const found = page(await answer.text());
    if (!found.getElementById("main") || !(found.querySelector("[data-card]") || found.querySelector("[data-state]"))) {
      // Signed out meanwhile: what was answered waits for its owner. Any other page is only shown.
      if (answer.status === 400 || new URL(answer.url).pathname.startsWith("/sign-in")) await keep(form, timed(pairs, answering));
      location.assign(answer.url);
      return;
    }
    show(found, new URL(answer.url).pathname);
    prefetch();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    if (button) button.disabled = false;
    if (answering && !pairs.some(([name]) => name === "response")) return say(main().dataset.choose);
    await keep(form, timed(pairs, answering));
    if (answering) await markKept(here());
    else if (!(await goOn())) say(main().dataset.kept);
  }
}

/** Send what waits, in order; one sender at a time, also among several tabs. */
function send() {
  sending ??= (navigator.locks ? navigator.locks.request("ropes-courses", sendAll) : sendAll())
    .finally(() => { sending = null; });
  return sending;
}

async function sendAll() {
  const db = await opened;
  if (!(await db.count("waiting"))) return;
  let refused = false;
  try {
    const answer = await fetch("/courses/state", { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) return; // signed out: it waits for its owner
    const { csrf, person } = await answer.json();
    const own = (await db.getAll("waiting")).filter((one) => one.person === person);
    if (!own.length) return; // another person's, on a shared phone: it waits for them
    for (const one of own) {
      const body = new URLSearchParams(one.pairs);
      body.set("csrf_token", csrf);
      const taken = await fetch(one.url, { method: "POST", body });
      const ours = new URL(taken.url).pathname.startsWith("/courses/");
      // Only what can never be taken is let go; a sign-in page or a fault of ours keeps the rest.
      if (!ours || (!taken.ok && ![404, 409, 410, 422].includes(taken.status))) return;
      refused ||= !taken.ok;
      await db.delete("waiting", one.id);
    }
  } catch (error) {
    if (error instanceof TypeError) return; // gone again: the rest waits on
    throw error;
  }
  const words = document.querySelector("[data-sent]")?.dataset;
  const said = refused ? words?.refused : words?.sent;
  await refresh();
  say(said);
}

/** Ask for the present card anew: with its feedback, now that the answer has arrived. */
async function refresh() {
  const url = here() ?? location.pathname;
  try {
    const answer = await fetch(url);
    if (answer.ok) show(page(await answer.text()), new URL(answer.url).pathname);
    prefetch();
  } catch { /* the next change of the network tries again */ }
}

/** A page opened from the phone's own store is the lesson's, as it was when it was kept: put the
    card of this address into it, as it was seen last. */
async function settle() {
  const db = await opened;
  const waiting = await db.count("waiting");
  if (main()?.hasAttribute("data-from-phone")) {
    const wanted = await db.get("cards", location.pathname);
    if (!wanted) return location.replace("/courses/"); // of another lesson: without a network, what is kept
    show(page(wanted.html), wanted.url, false);
  }
  if (!waiting) return prefetch();
  await markKept(here());
  say(main().dataset.kept);
  await send();
}

addEventListener("submit", submit);
addEventListener("click", async (event) => {
  if (!event.target.closest("[data-again]")) return;
  const [first] = await (await opened).getAll("cards").then((kept) => kept.filter((one) => !kept.some((other) => other.next === one.url)));
  if (first && show(page(first.html), first.url)) await markKept(first.url);
});
addEventListener("online", () => send());
addEventListener("popstate", async () => {
  const kept = await (await opened).get("cards", location.pathname);
  try {
    const answer = await fetch(location.pathname);
    show(page(await answer.text()), location.pathname, false);
  } catch {
    if (kept) { show(page(kept.html), kept.url, false); await markKept(kept.url); }
  }
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
setInterval(() => { if (navigator.onLine !== false) send(); }, 20_000);
if ("serviceWorker" in navigator) navigator.serviceWorker.register(script("/courses/worker.js"));
await settle();
