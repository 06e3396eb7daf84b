"""Writes what is made from the profile's data: `python -m tests.xapi.profile.publish`.

The newest version as JSON-LD, and the tables of docs/xapi-profile.md. A version that was released
is not written again: give it a successor in `xapi.profile.document.VERSIONS` and
`xapi.vocabulary.ROPES_VERSION`, and every template, pattern or extension that says something else
now an id of its own (xAPI Profiles, part two, 8.0 and 9.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from xapi import vocabulary as v
from xapi.profile import document
from xapi.profile.patterns import PATTERNS
from xapi.profile.templates import ALWAYS, LEARNING, NETWORK, TAKEN_BACK, TEMPLATES, Rule

HOUSE = Path(__file__).parent.parent.parent.parent
PAGE = HOUSE / "docs" / "xapi-profile.md"
PUBLISHED = HOUSE / "xapi" / "profile" / "published"
_BLOCK = re.compile(r"(<!-- made from the profile: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def page(text: str) -> str:
    """Return the documentation with its tables made anew."""
    tables = {
        "learning": _learning,
        "network": _network,
        "acts": _acts,
        "always": _always,
        "patterns": _patterns,
        "terms": _terms,
        "extensions": _extensions,
    }
    return _BLOCK.sub(lambda block: f"{block[1]}{tables[block[2]]()}\n{block[3]}", text)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _learning() -> str:
    return _table(
        ("template", "verb, object", "said when", "what it holds"),
        (
            (
                f"`{one.slug}`",
                f"{one.verb.label}, {_kind(one.object_type)}",
                one.definition,
                _holds(one.parent_types, one.grouping_types, one.rules),
            )
            for one in (*LEARNING, TAKEN_BACK)
        ),
    )


def _network() -> str:
    return _table(
        ("template", "verb, object", "said when", "name of the object"),
        (
            (
                f"`{one.slug}`",
                f"{one.verb.label}, {_kind(one.object_type)}",
                one.definition,
                f"{one.rules[0].all[0]}",
            )
            for one in NETWORK
        ),
    )


def _acts() -> str:
    shared = [rule for rule in NETWORK[0].rules if all(rule in one.rules for one in NETWORK)]
    return "\n".join(f"- {_rule(one)}{_note(one)}" for one in shared) + "\n"


def _note(rule: Rule) -> str:
    return f": {rule.note}" if rule.note else ""


def _kind(object_type: str | None) -> str:
    return "a statement" if object_type is None else _thing(object_type)


def _thing(type_iri: str) -> str:
    return re.split(r"[/#]", type_iri)[-1]


def _holds(parents: Iterable[str], groupings: Iterable[str], rules: Iterable[Rule]) -> str:
    parts = [f"parent: {_thing(one)}" for one in parents]
    parts += [f"grouping: {_thing(one)}" for one in groupings]
    parts += [_rule(one) for one in rules]
    return "; ".join(parts)


def _rule(rule: Rule) -> str:
    said = f"`{rule.location.removeprefix('$.').replace(v.ROPES, '…')}`"
    if rule.presence == "excluded":
        said = f"no {said}"
    if rule.presence == "recommended":
        said += " where there is one"
    if rule.all:
        said += " is " + " or ".join(
            f"`{str(one).lower() if isinstance(one, bool) else one}`" for one in rule.all
        )
    return said


def _always() -> str:
    return "\n".join(f"- {_rule(one)}{_note(one)}" for one in ALWAYS) + "\n"


def _patterns() -> str:
    return _table(
        ("pattern", "what it says", "how"),
        (
            (
                f"**`{one.slug}`**" if one.primary else f"`{one.slug}`",
                one.definition,
                f"{one.how}: {', '.join(f'`{part}`' for part in one.elements)}",
            )
            for one in PATTERNS
        ),
    )


def _terms() -> str:
    verbs = {one.verb.iri: one.verb.label for one in TEMPLATES}
    types = {one.object_type: _thing(one.object_type) for one in TEMPLATES if one.object_type}
    types[v.PROFILE] = _thing(v.PROFILE)
    rows = [(label, "verb", f"`{iri}`") for iri, label in verbs.items()]
    rows += [(name, "activity type", f"`{iri}`") for iri, name in types.items()]
    rows.append(("progress", "extension of the result", f"`{v.PROGRESS}`"))
    return _table(("word", "what it is", "IRI"), rows)


def _extensions() -> str:
    concepts = document.build()["concepts"]
    return _table(
        ("extension of the context", "what it holds", "IRI"),
        ((one["prefLabel"]["en"], one["definition"]["en"], f"`{one['id']}`") for one in concepts),
    )


def write() -> None:
    """Write the newest version, and the page."""
    text = document.to_text(document.build())
    (PUBLISHED / f"{v.ROPES_VERSION}.jsonld").write_bytes(text)
    PAGE.write_text(page(PAGE.read_text()))


if __name__ == "__main__":
    write()
