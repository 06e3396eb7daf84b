"""What every page has to keep: axe, width, targets, one heading, one filled button, a quiet console.

`Watch(page)` listens from the start; `inspect(page)` looks at the page as it stands.
"""

from __future__ import annotations

from playwright.sync_api import Page, Request, Response

from tests.browser.conftest import AXE, AXE_TAGS, overflow, settled

# axe leaves it out unless asked: WCAG 2.5.8, with the exceptions that the criterion names.
RULES = {"target-size": {"enabled": True}}
LEAST_TARGET_PIXELS = 24

# The page's own policy does not bind what the debugger evaluates. A link in a sentence is as high
# as the line lets it be; what stands alone is measured. A box in a label is pressed by its label.
_LOOK = """([least]) => {
  const problems = [], bounds = (one) => one.getBoundingClientRect();
  const seen = (one) => {
    const box = bounds(one);
    return one.checkVisibility({visibilityProperty: true}) && box.width > 1 && box.height > 1
      && !one.closest("[aria-hidden=true]");
  };
  const name = (one) => {
    const words = (one.innerText || one.name || one.value || "").trim().slice(0, 40);
    return `<${one.localName}${one.className ? "." + one.className : ""}> “${words}”`;
  };
  const inSentence = (one) => {
    if (getComputedStyle(one).display !== "inline") return false;
    let around = one.parentElement;
    while (getComputedStyle(around).display === "inline") around = around.parentElement;
    const own = one.textContent.trim(), whole = around.textContent.trim();
    return whole.replace(own, "").replace(/[^\\p{L}]/gu, "").length > 0
      && [...around.childNodes].some((node) => node.nodeType === 3 && /\\p{L}/u.test(node.data));
  };
  const pressed = "a[href], button, input, select, textarea, summary, [role=button], [tabindex='0']";
  for (const one of document.querySelectorAll(pressed)) {
    if (!seen(one) || one.disabled || one.type === "hidden" || inSentence(one)) continue;
    const boxes = [one, ...(one.labels || [])].filter(seen).map(bounds);
    const width = Math.max(...boxes.map((box) => box.right)) - Math.min(...boxes.map((box) => box.left));
    const height = Math.max(...boxes.map((box) => box.bottom)) - Math.min(...boxes.map((box) => box.top));
    if (width < least - 0.01 || height < least - 0.01)
      problems.push(`target of ${width.toFixed(1)} by ${height.toFixed(1)}: ${name(one)}`);
  }
  for (const menu of document.querySelectorAll(".menu")) {
    const tops = new Set([...menu.children].filter(seen).map((one) => bounds(one).top));
    if (getComputedStyle(menu).display === "flex" && tops.size > 1)
      problems.push(`the menu wraps: ${tops.size} lines`);
  }
  const headings = [...document.querySelectorAll("h1")].filter(seen);
  if (headings.length !== 1) problems.push(`${headings.length} headings of the first level`);
  if (!document.title.trim()) problems.push("no title");
  const probe = document.createElement("span");
  probe.className = "button";
  document.body.append(probe);
  const filled = getComputedStyle(probe).backgroundColor;
  probe.remove();
  const primary = [...document.querySelectorAll("a, button, input")].filter(
    (one) => seen(one) && getComputedStyle(one).backgroundColor === filled);
  if (primary.length > 1)
    problems.push(`${primary.length} filled buttons: ${primary.map(name).join(", ")}`);
  return problems;
}"""
_POLICY = """addEventListener("securitypolicyviolation", (event) => console.error(
  `refused by the policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`))"""


class Watch:
    """Hears what a page complains of: script errors, its policy, requests that failed."""

    def __init__(self, page: Page) -> None:
        self.heard: list[str] = []
        self.page = page
        page.add_init_script(_POLICY)
        page.on("pageerror", lambda error: self.heard.append(f"script error: {error}"))
        page.on("console", lambda said: self._console(said.type, said.text))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def take(self) -> list[str]:
        """Return what was heard since the last call."""
        heard, self.heard = self.heard, []
        return heard

    def _console(self, kind: str, text: str) -> None:
        # A refused file is heard of as an answer, with its address.
        if kind == "error" and not text.startswith("Failed to load resource"):
            self.heard.append(f"console: {text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left while it was fetched
            self.heard.append(f"failed: {request.url} ({request.failure})")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            self.heard.append(f"{response.status}: {response.url}")


def inspect(page: Page) -> list[str]:
    """Return all that is wrong with the page as it stands, one line each."""
    wide = overflow(page)
    problems = [f"{wide} px wider than the window"] if wide > 0 else []
    problems += settled(page, lambda: page.evaluate(_LOOK, [LEAST_TARGET_PIXELS]))
    return problems + settled(page, lambda: _axe(page))


def _axe(page: Page) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate(
        "([values, rules]) => axe.run(document, "
        "{runOnly: {type: 'tag', values}, rules, resultTypes: ['violations'], elementRef: false})",
        [AXE_TAGS, RULES],
    )
    return [
        f"{violation['id']}: {violation['help']} at {node['target']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
