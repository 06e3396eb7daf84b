// What is under way is shown anew every few seconds, in its place: nothing moves under a reader, and
// whoever has gone to a button in it with the keyboard keeps it. Once it is over the page is loaded.
import { page } from "../web/trusted.js";

const shown = () => document.querySelector("[data-look-again-seconds]");
const milliseconds = Number(shown().dataset.lookAgainSeconds) * 1000;

async function look() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok) {
      const fresh = page(await answer.text()).querySelector("[data-look-again-seconds]");
      if (!fresh) {
        location.reload();
        return;
      }
      if (!shown().contains(document.activeElement)) {
        shown().replaceChildren(...document.adoptNode(fresh).childNodes);
      }
    }
  } catch {
    // No network just now: the next look may find it.
  }
  setTimeout(look, milliseconds);
}

setTimeout(look, milliseconds);
