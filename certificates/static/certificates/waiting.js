// The worker prints the paper: this looks now and then whether it is there, and only then shows the
// page anew. A page that loads itself again and again would take the place from under a reader.

const waiting = document.querySelector("[data-look-again-seconds]");
const milliseconds = Number(waiting.dataset.lookAgainSeconds) * 1000;

async function look() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok && !(await answer.text()).includes("data-look-again-seconds")) {
      location.reload();
      return;
    }
  } catch {
    // No network just now: the next look may find it.
  }
  setTimeout(look, milliseconds);
}

setTimeout(look, milliseconds);
