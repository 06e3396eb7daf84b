"""Catalogues of translations: what the source says, and what each language lacks of it.

One catalogue a language for the whole suite: lms/translations/<language>/LC_MESSAGES/messages.po.
`make messages` (`python -m tests.contract.catalogues`) brings all of them up to date with the
source: new messages are added, empty; those that are gone are dropped; changed ones are fuzzy.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from lms.web.i18n import LANGUAGES

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "lms" / "translations"
PACKAGES = ("lms", "xapi", "courses", "esn", "certificates")
SOURCE_LANGUAGE = "en"

METHODS = [
    ("**/bootstrap/**", "ignore"),
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2"),
    ("**/templates/**.txt", "jinja2"),
    ("**/templates/**.xml", "jinja2"),
]
ERRORS = (
    "DomainError", "Invalid", "NotSignedIn", "NotFound", "NotAllowed", "Conflict", "Gone", "TooLarge",
    "TooMany", "Unavailable", "AlreadyRevoked", "BadRule", "NetworkSilent", "NoSuchAward",
    "NoSuchCertificate", "NotReady", "Tampered", "UnknownCode",
)  # fmt: skip
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "_l": None,
    "lazy_gettext": None,
    "_n": (1, 2),
    "_ln": (1, 2),
    "counted": (1, 2),
    # Errors are sentences with arguments, translated where they are shown (lms.errors).
    "Sentence": (1,),
    **dict.fromkeys(ERRORS, (1,)),
    "CardTextError": (2,),
    "YamlError": (2,),
    "CourseTextError": (3,),
    "fail": (1,),
    "refuse": (2,),
    "lazy_ngettext": (1, 2),
    "_p": ((1, "c"), 2),
    "lazy_pgettext": ((1, "c"), 2),
}
PLACE = re.compile(r"%\((\w+)\)[#0\- +]?\d*(?:\.\d+)?[a-z]")


def extract() -> Catalog:
    """Return every message of the source, with where it stands."""
    catalogue = Catalog(project="Ropes", charset="utf-8")
    for package in PACKAGES:
        for name, line, message, comments, context in extract_from_dir(
            ROOT / package,
            METHODS,
            options_map={"**/templates/**": {"silent": "false"}},
            keywords=KEYWORDS,
            comment_tags=("Translators:",),
            strip_comment_tags=True,
        ):
            catalogue.add(
                message,
                locations=[(f"{package}/{name}", line)],
                auto_comments=comments,
                context=context,
            )
    return catalogue


def path_of(language: str) -> Path:
    """Return where the catalogue of a language is."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def load(language: str) -> Catalog:
    """Read a language's catalogue."""
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def texts(message: Message) -> tuple[str, ...]:
    """Return the message's translations: one, or one for each plural form."""
    found = message.string
    return (found or "",) if found is None or isinstance(found, str) else tuple(found)


def faults(source: Catalog, translated: Catalog) -> Iterator[str]:
    """Say what a catalogue lacks: a message, a translation, a place, a plural form."""
    for message in source:
        if not message.id:
            continue
        name = message.id if isinstance(message.id, str) else message.id[0]
        where = f"{message.locations[0][0]}:{message.locations[0][1]}" if message.locations else "?"
        mine = translated.get(message.id, message.context)
        if mine is None:
            yield f"{where}: not in the catalogue: {name!r}"
        elif mine.fuzzy:
            yield f"{where}: changed since it was translated: {name!r}"
        elif not all(texts(mine)):
            yield f"{where}: not translated: {name!r}"
        elif message.pluralizable and len(texts(mine)) != translated.num_plurals:
            yield f"{where}: wants {translated.num_plurals} plural forms: {name!r}"
        else:
            yield from (f"{where}: {fault}" for fault in wrong_places(message, mine))


def wrong_places(message: Message, mine: Message) -> Iterator[str]:
    """Say which named places a translation has lost or made up."""
    ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    known = {place for one in ids for place in PLACE.findall(one)}
    if message.pluralizable:
        known.add("num")  # the number itself is always there, in figures
    needed = set(PLACE.findall(ids[-1])) - ({"num"} if message.pluralizable else set())
    for text in texts(mine):
        found = set(PLACE.findall(text))
        # A form for one thing may leave the number out: "one person".
        if found - known or (not message.pluralizable and needed - found):
            yield f"places {sorted(found ^ needed)} do not fit: {ids[0]!r} -> {text!r}"


def make(language: str) -> Catalog:
    """Return a new, empty catalogue. (One marked fuzzy as a whole would not be compiled.)"""
    return Catalog(
        locale=language,
        charset="utf-8",
        project="Ropes",
        header_comment=f"# Ropes in {LANGUAGES[language]}.",
        language_team="Ropes",
        last_translator="Ropes",
        msgid_bugs_address="",
        fuzzy=False,
    )


def update() -> None:
    """Bring every catalogue up to date with the source; make those that are missing."""
    source = extract()
    for language in LANGUAGES:
        if language == SOURCE_LANGUAGE:
            continue
        path = path_of(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        catalogue = load(language) if path.exists() else make(language)
        catalogue.update(source, no_fuzzy_matching=False, update_header_comment=False)
        catalogue.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, catalogue, width=100, ignore_obsolete=True, include_lineno=False)
        left = sum(1 for _ in faults(source, catalogue))
        sys.stdout.write(f"{language}: {len(source)} messages, {left} to translate\n")


if __name__ == "__main__":
    update()
