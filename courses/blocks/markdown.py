"""Authors' Markdown: safe HTML out of it, and the pictures in it."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from courses.catalogue.document import CONTROL, tidy
from lms.errors import Sentence
from lms.writers import outside_writing

MEDIA_PREFIX = "media/"
TAGS = {
    *("p", "br", "hr", "h3", "h4", "strong", "em", "s", "code", "pre", "blockquote"),
    *("ul", "ol", "li", "a", "img", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height", "loading"},
    "ol": {"start"},
    "th": {"align"},
    "td": {"align"},
}
# What is longer, or denser, is not read as Markdown at all: reading costs up to 600 steps for each
# character, and each bracket may open a link, which is looked for in all that follows.
CHARS_MOST = 20_000
LINE_CHARS_MOST = 5_000
BRACKETS_MOST = 200
_reader = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable(
    ["table", "strikethrough"]
)


def _tokens(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        if token.children:
            yield from _tokens(token.children)


def render(text: str, addresses: Mapping[str, str]) -> str:
    """Return safe HTML. `addresses` maps a picture's name to where it is served.

    Headings inside a card step down to h3, since the card's own is h1 or h2. A picture that is not
    in `addresses` becomes its alternative text.
    """
    if not text:
        return ""
    outside_writing("rendering Markdown")
    if excess(text):
        return f"<p>{html.escape(text)}</p>"
    tokens = _reader.parse(text)
    for token in _tokens(tokens):
        if token.tag in {"h1", "h2"}:
            token.tag = "h3"
        elif token.tag in {"h5", "h6"}:
            token.tag = "h4"
        if token.type == "image":
            source = str(token.attrs.get("src", ""))
            address = addresses.get(source.removeprefix(MEDIA_PREFIX))
            if address is None or not source.startswith(MEDIA_PREFIX):
                token.type, token.content = "text", _alternative(token)
            else:
                token.attrs["src"] = address
    return nh3.clean(
        str(_reader.renderer.render(tokens, _reader.options, {})),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"https", "http", "mailto"},
        link_rel="noopener noreferrer",
    )


def _alternative(picture: Token) -> str:
    return "".join(one.content for one in _tokens(picture.children or []) if not one.children)


def excess(text: str) -> str:
    """Return what there is too much of in a text, in a sentence for its author, or nothing."""
    if len(text) > CHARS_MOST:
        return f"The text is too long: {CHARS_MOST} characters at most. Make several cards of it."
    if any(len(line) > LINE_CHARS_MOST for line in text.split("\n")):
        return f"A line of the text is too long: {LINE_CHARS_MOST} characters at most."
    if text.count("[") > BRACKETS_MOST:
        return f"The text holds too many brackets: {BRACKETS_MOST} “[” at most."
    return ""


def pictures(text: str) -> list[tuple[str, str]]:
    """Return (address as written, alternative text) of every picture in the text, in order."""
    if "![" not in text or excess(text):
        return []
    outside_writing("reading Markdown")
    return [
        (str(token.attrs.get("src", "")), token.content.strip())
        for token in _tokens(_reader.parse(text))
        if token.type == "image"
    ]


def text_problems(text: str, media: frozenset[str]) -> list[str]:
    """Return a sentence for each thing wrong with a piece of an author's Markdown."""
    found: list[str] = []
    if too_much := excess(text):
        found.append(too_much)
    if text != tidy(text):
        found.append(Sentence("Take away the blank lines before and after the text."))
    if CONTROL.search(text):
        found.append(
            Sentence("The text holds a character that cannot be shown. Type that line again.")
        )
    for source, alternative in pictures(text):
        name = source.removeprefix(MEDIA_PREFIX)
        if not source.startswith(MEDIA_PREFIX):
            found.append(
                Sentence(
                    "The picture “%(source)s” is somewhere else. Put the file into media/ and write media/%(name)s.",
                    source=source,
                    name=name.rsplit("/", 1)[-1],
                )
            )
        elif name not in media:
            found.append(
                Sentence(
                    "There is no picture %(source)s. Add the file, or correct its name.",
                    source=source,
                )
            )
        if not alternative:
            found.append(
                Sentence(
                    "Say in words what the picture %(source)s shows, for those who cannot see it: ![what it shows](…).",
                    source=source,
                )
            )
    return found
