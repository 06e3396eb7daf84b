"""What others wrote, made fit to be read: nothing in it hides, reorders or runs off the page. Pure.

Escaping is the template's affair (and `<bdi>` around it); here is what escaping does not see:
characters that turn a line around, that cannot be seen, or that pile up without end (Unicode
Technical Report 36, "visual spoofing").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

import orjson

NAME_MOST = 120
IDENTIFIER_MOST = 200
MARKS_MOST = 3  # combining marks on one letter; Vietnamese needs two, Hebrew three

# Controls, embeddings and overrides of direction, what takes no room, tags: named in brackets.
_HIDDEN = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u115f\u1160\u180e\u200b\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f\U000e0100-\U000e01ef\ud800-\udfff"
)
_NAMED = re.compile(f"[{_HIDDEN}]")
# Marks of direction do no harm inside <bdi>, and no good: Arabic names are often copied with them.
_DROPPED = re.compile("[\u061c\u200e\u200f]")
_IN_JSON = re.compile(f"[{_HIDDEN}\u061c\u200e\u200f]")
_BLANKS = re.compile(r"\s+")


def shown(text: str, most: int = NAME_MOST) -> str:
    """Return a text on one line, at most `most` characters, in which every character is seen."""
    cut = text[: most + 1]
    cut = _BLANKS.sub(" ", _DROPPED.sub("", cut)).strip()
    cut = _NAMED.sub(lambda found: f"[U+{ord(found[0]):04X}]", cut)
    cut = _thin(cut)
    return cut if len(text) <= most and len(cut) <= most else f"{cut[:most].rstrip()}…"


def shown_json(value: Any) -> str:
    """Return JSON to be read and copied: the same value, whose hidden characters are escaped."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return _IN_JSON.sub(_escaped, text)


def pick(texts: Any, language: str) -> tuple[str, str]:
    """Return the text of a language map that serves a reader best, and its language tag.

    Exactly the language, else the same one elsewhere ("pt" for "pt-BR"), English, or what there
    is; two empty texts where there is nothing.
    """
    if not isinstance(texts, Mapping) or not texts:
        return "", ""
    tags = {tag.replace("_", "-").lower(): tag for tag in texts}
    wanted = language.replace("_", "-").lower()
    base = wanted.partition("-")[0]
    alike = (tag for tag in tags if tag.partition("-")[0] == base)
    english = (tag for tag in tags if tag.partition("-")[0] == "en")
    found = (
        wanted if wanted in tags else next(alike, None) or next(english, None) or next(iter(tags))
    )
    return str(texts[tags[found]]), found


def _thin(text: str) -> str:
    """Return the text with no more marks on a letter than any language has."""
    if text.isascii():
        return text
    kept, marks = [], 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= MARKS_MOST:
            kept.append(char)
    return "".join(kept)


def _escaped(found: re.Match[str]) -> str:
    number = ord(found[0])
    if number < 0x10000:
        return f"\\u{number:04x}"
    number -= 0x10000
    return f"\\u{0xD800 + (number >> 10):04x}\\u{0xDC00 + (number & 0x3FF):04x}"
