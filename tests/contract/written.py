"""A page's texts, each with the language and direction that hold where it stands.

What an author of a test writes bears a mark, `Xde`, `Xar`, `Xen` for a language, `Xname` for what
has none; `wrong_places` says which marked text of a page would be read aloud, broken or turned
around as if it were in another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

MARK = re.compile(r"X(de|ar|en|name)")
EXPECTED = {"de": ("de", "ltr"), "ar": ("ar", "rtl"), "en": ("en", "ltr")}
VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source"})
NOT_READ = frozenset({"id", "name", "href", "action", "src", "class", "for"})
ISOLATED = re.compile("\u2068[^\u2069]*\u2069")


@dataclass(frozen=True, slots=True)
class Element:
    """An open element: what holds inside it."""

    tag: str
    lang: str
    direction: str


class Texts(HTMLParser):
    """Collects faults while it reads a page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[Element] = [Element("", "", "")]
        self.faults: list[str] = []
        self.marks: set[str] = set()
        self.leftwards = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        around = self.open[-1]
        inside = Element(
            tag,
            given.get("lang", around.lang),
            given.get("dir", "auto" if tag == "bdi" else around.direction),
        )
        if tag == "html":
            self.leftwards = inside.direction == "rtl"
        if tag not in VOID:
            self.open.append(inside)
        for name, value in given.items():
            if name in NOT_READ or (name.startswith("data-") and name != "data-label"):
                continue
            if name == "value" and tag in ("input", "option", "button"):
                if given.get("type", "text") in ("text", "search"):
                    self._check(value, inside, f"{tag}[value]")
            elif MARK.search(ISOLATED.sub("", value)) and self.leftwards:
                self.faults.append(f"not set apart in {tag}[{name}]: {value!r}")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID or tag not in {one.tag for one in self.open}:
            return
        while self.open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        here = self.open[-1]
        if here.tag in ("script", "style"):
            return
        if here.tag == "title":
            plain = ISOLATED.sub("", data)
            marks = MARK.findall(plain)
            if self.leftwards and any(EXPECTED.get(one) != (here.lang, "rtl") for one in marks):
                self.faults.append(f"not set apart in the title: {data!r}")
            self.marks.update(marks)
            return
        self._check(data, here, here.tag)

    def _check(self, text: str, here: Element, where: str) -> None:
        # What is set apart by characters stands in a sentence that is plain text all through.
        for language in MARK.findall(ISOLATED.sub("", text)):
            self.marks.add(language)
            found = (here.lang, here.direction)
            right = here.direction == "auto" if language == "name" else found == EXPECTED[language]
            if not right:
                self.faults.append(f"{language} in <{where}> as {found}: {text.strip()[:60]!r}")


def read(page: str) -> Texts:
    """Read a page."""
    texts = Texts()
    texts.feed(page)
    texts.close()
    return texts


def wrong_places(page: str) -> Iterator[str]:
    """Say of each marked text that is not in its own language and direction where it stands."""
    yield from read(page).faults
