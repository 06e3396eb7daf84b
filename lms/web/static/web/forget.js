// What packages keep on a phone (databases and caches whose names begin with "ropes-") is private to
// whoever was signed in. Where nobody is signed in any more it goes, on the sign-in page. Only what
// still waits to be sent stays (stores named "waiting"): it bears no name, and is sent by its owner.
const ours = (name) => name?.startsWith("ropes-");

async function empty(name) {
  const db = await new Promise((done, failed) => {
    const asked = indexedDB.open(name);
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  const stores = [...db.objectStoreNames].filter((store) => store !== "waiting");
  if (stores.length) {
    const clearing = db.transaction(stores, "readwrite");
    for (const store of stores) clearing.objectStore(store).clear();
    await new Promise((done) => { clearing.oncomplete = clearing.onerror = clearing.onabort = done; });
  }
  db.close();
}

if ("caches" in window) for (const name of await caches.keys()) if (ours(name)) await caches.delete(name);
for (const { name } of (await indexedDB.databases?.()) ?? []) if (ours(name)) await empty(name);
document.documentElement.dataset.forgotten = "yes";
