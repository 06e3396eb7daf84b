"""What a page has to keep where somebody reads with large letters on a small screen.

The size is the browser's own setting, so that lengths in `rem` and the style sheet's conditions
follow it, as they do on a phone.
"""

from __future__ import annotations

from playwright.sync_api import Page

DEFAULT_PIXELS = 16

# A heading may be wider than the screen only where it scrolls by itself; what is cut off is lost.
_LOOK = """() => {
  const problems = [], wide = document.documentElement.clientWidth, high = window.innerHeight;
  const over = document.documentElement.scrollWidth - wide;
  if (over > 1) {
    const out = [...document.querySelectorAll("body *")].filter((one) => {
      const box = one.getBoundingClientRect();
      return box.width > 0 && (box.right > wide + 1 || box.left < -1) && !one.closest(".scroll, pre, .hide, .skip");
    });
    problems.push(`scrolls sideways by ${over}: ${out.slice(0, 3).map((one) => one.outerHTML.slice(0, 80)).join(" | ")}`);
  }
  for (const one of document.querySelectorAll(".bar .brand, .bar .open-menu")) {
    const box = one.getBoundingClientRect();
    if (box.width && (box.left < -0.5 || box.right > wide + 0.5 || one.scrollWidth > one.clientWidth + 1))
      problems.push(`cut off: ${one.className}`);
  }
  for (const one of document.querySelectorAll(".foot, .save")) {
    const kind = getComputedStyle(one).position, part = one.getBoundingClientRect().height / high;
    if ((kind === "sticky" || kind === "fixed") && part > 0.26)
      problems.push(`${one.className} takes ${(100 * part).toFixed(0)} % of the screen`);
  }
  return problems;
}"""
_MENU = """() => {
  const menu = document.querySelector(".sheet[popover]"), box = menu.getBoundingClientRect();
  const problems = [];
  if (box.top < -0.5 || box.bottom > window.innerHeight + 0.5) problems.push("the menu leaves the screen");
  if (menu.scrollWidth > menu.clientWidth + 1) problems.push("the menu is cut off at the side");
  for (const link of menu.querySelectorAll("a")) {
    link.scrollIntoView({block: "nearest"});
    const line = link.getBoundingClientRect(), x = line.left + line.width / 2, y = line.top + line.height / 2;
    if (!link.contains(document.elementFromPoint(x, y))) problems.push(`cannot be pressed: ${link.innerText}`);
  }
  return problems;
}"""


def enlarge(page: Page, percent: int) -> None:
    """Have the browser of this page begin with letters of so many percent."""
    size = DEFAULT_PIXELS * percent // 100
    session = page.context.new_cdp_session(page)
    session.send("Page.enable")
    session.send("Page.setFontSizes", {"fontSizes": {"standard": size, "fixed": size}})


def look(page: Page) -> list[str]:
    """Return what is cut off, out of reach or in the way on the page as it stands."""
    problems: list[str] = page.evaluate(_LOOK)
    opens = page.locator(".open-menu")
    if opens.count() and opens.first.is_visible():
        opens.first.click()
        problems += page.evaluate(_MENU)
        page.keyboard.press("Escape")
    return problems
