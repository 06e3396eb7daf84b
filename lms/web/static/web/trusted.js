// The one place where text becomes markup or a script's address (Trusted Types policy "ropes").
// Markup comes from our own server, where it was rendered and sanitised, or is only read and never
// put into a page (what an author pastes); nothing else may pass.
const own = (url) => {
  const full = new URL(url, location.href);
  if (full.origin !== location.origin) throw new TypeError("not our own script: " + full);
  return full.href;
};
const policy = window.trustedTypes?.createPolicy("ropes", { createHTML: (text) => text, createScriptURL: own })
  ?? { createHTML: (text) => text, createScriptURL: own };

/** Read a page of our own server (text of a same-origin response) into a document. */
export const page = (text) => new DOMParser().parseFromString(policy.createHTML(text), "text/html");

/** The address of a script of our own, for navigator.serviceWorker.register and workers. */
export const script = (url) => policy.createScriptURL(url);
