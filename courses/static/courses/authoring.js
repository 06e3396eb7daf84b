// Makes the author's forms comfortable: saves while one writes, shows the card in the real player,
// adds and moves options, formats text. Without it the forms work by their buttons.
import { page } from "../web/trusted.js";
import { markdownOf } from "./paste.js";

const WAIT_MS = 1200;
const RETRY_MS = 5000;

const form = document.querySelector("form[data-autosave]");
const frame = document.getElementById("preview");
const status = document.querySelector("[data-status]");

function say(text, bad = false) {
  if (!status) return;
  status.textContent = text;
  status.classList.toggle("bad", bad);
}

function problems(found) {
  const list = document.querySelector("[data-problems]");
  if (!list || !found) return;
  list.replaceChildren(...found.map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
}

function refresh() {
  if (frame && frame.offsetParent !== null) frame.contentWindow.location.replace(frame.src);
}

// What is typed is what counts: an answer from the server never touches a field, only the hidden
// mark of what was seen last. One save is on its way at a time.
class Autosave {
  constructor(target) {
    this.form = target;
    this.key = `ropes-author:${target.dataset.author}:${target.dataset.autosave}`;
    this.sent = this.loaded();
    this.timer = 0;
    this.going = null;
    this.stopped = false;
    this.restore();
    target.addEventListener("input", () => this.changed());
    target.addEventListener("change", () => this.changed());
    target.addEventListener("submit", (event) => this.submit(event));
    addEventListener("online", () => this.save());
    addEventListener("visibilitychange", () => { if (document.hidden) this.save(); });
    addEventListener("pagehide", () => this.save());
    this.changed();
  }

  // What the server sent: on a slow line somebody has typed before this script is there.
  loaded() {
    const untouched = this.form.cloneNode(true);
    untouched.reset();
    return JSON.stringify(this.fields(untouched));
  }

  // A save that is on its way changes what counts as seen last: let it arrive, then send the form.
  submit(event) {
    if (this.gone) return event.preventDefault();
    if (this.going) {
      event.preventDefault();
      this.going.finally(() => { if (!this.over && !this.gone) this.form.requestSubmit(event.submitter); }); // else: let them see both
      return;
    }
    if (this.typed() !== this.sent) this.keep(true);
    this.stopped = true;
  }

  // What is not saved yet is kept in the browser too, with the mark of what it was written over.
  keep(submitted = false) {
    const base = submitted ? this.form.elements.base.value : this.over ?? this.form.elements.base.value;
    const kept = { base, fields: this.fields(), submitted };
    try { localStorage.setItem(this.key, JSON.stringify(kept)); } catch { /* full or forbidden: the form itself still holds the text */ }
  }

  fields(form = this.form) {
    return [...new FormData(form)].filter(([name]) => name !== "csrf_token" && name !== "base" && name !== "do");
  }

  typed() { return JSON.stringify(this.fields()); }

  changed() {
    if (this.over || this.gone) return this.keep();
    if (this.stopped || this.typed() === this.sent) return;
    say(this.form.dataset.unsaved);
    this.keep();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), WAIT_MS);
  }

  save() {
    clearTimeout(this.timer);
    if (this.stopped || this.typed() === this.sent) return this.going ?? Promise.resolve(true);
    if (this.going) return this.going.then(() => this.save());
    this.going = this.send().finally(() => { this.going = null; });
    return this.going;
  }

  async send() {
    const typed = this.typed();
    say(this.form.dataset.saving);
    let answer;
    try {
      answer = await fetch(this.form.action || location.href, {
        method: "POST", body: new FormData(this.form), headers: { Accept: "application/json" }, keepalive: document.hidden, // a page that goes may send up to 64 kB
      });
    } catch {
      say(this.form.dataset.offline, true);
      this.timer = setTimeout(() => this.save(), RETRY_MS);
      return false;
    }
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      say(told.error ?? this.form.dataset.offline, true);
      if (answer.status === 409) this.conflict(told);
      else if (answer.status === 404) this.gone = this.stopped = true; // no page to go to: the text stays here
      else if (answer.status >= 500) this.timer = setTimeout(() => this.save(), RETRY_MS);
      return false;
    }
    this.accept(told, typed);
    return true;
  }

  accept(told, typed) {
    this.form.elements.base.value = told.base;
    this.sent = typed;
    if (this.typed() === typed) { localStorage.removeItem(this.key); say(told.saved); }
    problems(told.problems);
    refresh();
    if (this.typed() !== typed) this.changed();
  }

  // Somebody else's text stands there: stop saving by itself, and show both. One button is left,
  // which says that it replaces theirs. What was typed stays in the browser, with the mark of what
  // it was written over: the page may be closing, and nobody has seen the other text yet.
  conflict({ both, base }) {
    this.stopped = true;
    this.form.dataset.conflict = "yes";
    if (!both) return;
    this.over = this.form.elements.base.value;
    this.form.elements.base.value = base;
    const box = page(both).querySelector(".conflict");
    this.form.before(box);
    box.querySelector("a").addEventListener("click", () => { this.over = null; localStorage.removeItem(this.key); });
    const [first, ...others] = this.form.querySelectorAll(".save button");
    first.textContent = this.form.dataset.mine;
    first.removeAttribute("name");
    for (const one of others) one.remove();
  }

  // Text that was never saved (the page was closed with no connection) is put back, once. Written
  // over what somebody else has changed since, it keeps its old mark: saving then shows both.
  restore() {
    let kept;
    try { kept = JSON.parse(localStorage.getItem(this.key) ?? "null"); } catch { kept = null; }
    localStorage.removeItem(this.key);
    const base = this.form.elements.base;
    if (!kept || JSON.stringify(kept.fields) === this.sent) return;
    if (kept.submitted && kept.base !== base.value) return; // it arrived
    base.value = kept.base;
    while (options && kept.fields.some(([name]) => name === `option-${options.list.children.length}-text`)) options.add();
    for (const box of this.form.querySelectorAll("input[type=checkbox]")) box.checked = false;
    for (const [name, value] of kept.fields) {
      const field = this.form.elements[name];
      if (!field) continue;
      if (field.type === "checkbox") field.checked = true;
      else field.value = value;
    }
    this.changed();
    say(this.form.dataset.restored);
  }
}

// Options of a question: added, moved and taken away without leaving the page.
class Options {
  constructor(list) {
    this.list = list;
    this.form = list.closest("form");
    this.template = this.form.querySelector("[data-option-template]");
    this.undo = this.form.querySelector("[data-undo]");
    this.removed = null;
    this.form.addEventListener("click", (event) => this.pressed(event));
    this.number();
  }

  pressed(event) {
    const button = event.target.closest("[data-act]");
    if (!button) return;
    event.preventDefault();
    const option = button.closest("[data-option]");
    const act = button.dataset.act;
    if (act === "add") this.add().querySelector("textarea").focus();
    else if (act === "remove") this.remove(option);
    else if (act === "undo") this.putBack();
    else {
      const other = act === "up" ? option.previousElementSibling : option.nextElementSibling;
      if (!other) return;
      if (act === "up") other.before(option); else other.after(option);
      button.focus();
    }
    this.number();
    this.form.dispatchEvent(new Event("input"));
  }

  add() {
    const made = this.template.content.firstElementChild.cloneNode(true);
    this.list.append(made);
    this.number();
    return made;
  }

  remove(option) {
    const next = option.nextElementSibling ?? option.previousElementSibling;
    this.removed = { option, at: [...this.list.children].indexOf(option) };
    option.remove();
    this.undo.hidden = false;
    (next?.querySelector("textarea") ?? this.form.querySelector("[data-act=add]")).focus();
  }

  putBack() {
    const { option, at } = this.removed;
    this.list.insertBefore(option, this.list.children[at] ?? null);
    this.undo.hidden = true;
    option.querySelector("textarea").focus();
  }

  number() {
    [...this.list.children].forEach((option, index) => {
      option.querySelector("[data-number]").textContent = index + 1;
      option.querySelector(".option-acts").hidden = false;
      for (const field of option.querySelectorAll("textarea, input")) {
        const part = field.name.split("-").pop();
        field.name = `option-${index}-${part}`;
        if (field.id) {
          const label = field.parentElement.querySelector("label");
          field.id = field.name;
          label.htmlFor = field.id;
        }
      }
    });
  }
}

const list = document.querySelector("[data-options]");
const options = list ? new Options(list) : null;
const autosave = form ? new Autosave(form) : null;

// Tools for Markdown: they write into the box what one would type.
for (const tools of document.querySelectorAll(".tools")) {
  tools.hidden = false;
  const box = document.getElementById(tools.dataset.for);
  box.addEventListener("paste", (event) => {
    const text = markdownOf(event.clipboardData);
    if (text === null) return;
    event.preventDefault();
    // insertText can be undone with Ctrl-Z; what this browser does not know is written all the same.
    if (!document.execCommand("insertText", false, text)) box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
  tools.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { wrap, lines, link } = button.dataset;
    const chosen = box.value.slice(box.selectionStart, box.selectionEnd);
    let text;
    if (wrap) text = `${wrap}${chosen || "…"}${wrap}`;
    else if (lines) text = (chosen || "…").split("\n").map((line) => lines + line).join("\n");
    else text = `[${chosen || link}](https://)`;
    if (lines && box.selectionStart > 0 && box.value[box.selectionStart - 1] !== "\n") text = `\n\n${text}`;
    box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
    box.focus();
    box.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

// A picture: what is typed is saved first, then the picture joins the end of the text.
const picture = document.getElementById("picture-form");
picture?.addEventListener("submit", async (event) => {
  if (!autosave || autosave.stopped) return;
  event.preventDefault();
  const error = picture.querySelector("[data-error]");
  error.hidden = true;
  await autosave.save();
  if (autosave.stopped) return;
  let answer, told;
  try {
    answer = await fetch(picture.action, { method: "POST", body: new FormData(picture), headers: { Accept: "application/json" } });
    told = await answer.json();
  } catch {
    told = { error: form.dataset.offline };
  }
  if (!answer?.ok) {
    error.textContent = told.error;
    error.hidden = false;
    return;
  }
  const box = form.elements.text;
  const added = told.text.slice(told.text.lastIndexOf("!["));
  box.value = box.value.trimEnd() ? `${box.value.trimEnd()}\n\n${added}` : added;
  autosave.accept(told, autosave.typed());
  picture.reset();
  picture.closest("details").open = false;
  box.focus();
});
