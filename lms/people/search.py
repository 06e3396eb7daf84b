"""Finding people by the beginnings of words: names, addresses, numbers; case and accents aside.

The words stand in a table of their own, so that an index answers, whatever the database. A session
keeps them up by itself; what is written past it says `keep_words`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    event,
    insert,
    inspect,
    select,
)
from sqlalchemy.orm import Mapper

from lms.db import db
from lms.people.models import Identity, Person, SearchWord
from lms.people.names import folded

MOST_WORDS = 8  # of what somebody types
WORD_MAX_CHARS = 80
AT_ONCE = 5_000  # databases limit the values of one statement
_BETWEEN = re.compile(r"[^\w@.+]+")  # between words of a name; an address is one word
_PARTS = re.compile(r"[^\w]+")
_SEARCHED = ("display_name", "email", "employee_number", "sign_in_name")
_TOP = "\U0010ffff"  # nothing sorts after it


def words_of(*texts: str | None) -> set[str]:
    """Return the words by which somebody with these names, addresses and numbers is found."""
    found: set[str] = set()
    for text in texts:
        for whole in folded(text or "").split():
            found |= {whole, *_BETWEEN.split(whole), *_PARTS.split(whole)}
    return {word[:WORD_MAX_CHARS] for word in found if word}


def prefixes(typed: str) -> list[str]:
    """Return the beginnings that somebody typed, each of which some word must have."""
    return [word[:WORD_MAX_CHARS] for word in folded(typed).split()[:MOST_WORDS]]


def bounds(prefix: str, place: int) -> dict[str, str]:
    """Return the values of `has_word(place)`, `starting(place)` for a beginning."""
    return {f"low{place}": prefix, f"high{place}": prefix + _TOP}


def _starts(place: int) -> ColumnElement[bool]:
    word = SearchWord.word
    low = bindparam(f"low{place}", type_=word.type)
    high = bindparam(f"high{place}", type_=word.type)
    return and_(word >= low, word < high)


def has_word(place: int) -> ColumnElement[bool]:
    """Whether a person has a word of that beginning, asked of each: for a few people."""
    person: Any = Person.__table__
    asked = select(SearchWord.word).where(SearchWord.person_id == person.c.id, _starts(place))
    return asked.correlate(person).exists()


def starting(place: int) -> Select[tuple[int]]:
    """Return a select of the ids of all who have a word of that beginning: by the index."""
    return select(SearchWord.person_id).where(_starts(place))


def keep_words(person_ids: Collection[int]) -> None:
    """Make the words of these people what their identities say now."""
    wanted = sorted(person_ids)
    for start in range(0, len(wanted), AT_ONCE):
        chunk = wanted[start : start + AT_ONCE]
        rows = db.session.execute(
            select(
                Identity.person_id, Identity.display_name, Identity.email,
                Identity.employee_number, Identity.sign_in_name,
            ).where(Identity.person_id.in_(chunk))
        ).all()  # fmt: skip
        _replace(db.session.connection(), chunk, {row[0]: words_of(*row[1:]) for row in rows})


def _replace(connection: Connection, people: list[int], words: dict[int, set[str]]) -> None:
    table: Any = SearchWord.__table__
    connection.execute(delete(table).where(table.c.person_id.in_(people)))
    rows = [
        {"person_id": person_id, "word": word}
        for person_id, own in words.items()
        for word in sorted(own)
    ]
    if rows:
        connection.execute(insert(table), rows)


def _note(_mapper: Mapper[Identity], connection: Connection, identity: Identity) -> None:
    state: Any = inspect(identity)
    if not any(state.attrs[name].history.has_changes() for name in _SEARCHED):
        return
    words = words_of(
        identity.display_name, identity.email, identity.employee_number, identity.sign_in_name
    )
    _replace(connection, [identity.person_id], {identity.person_id: words})


event.listen(Identity, "after_insert", _note)
event.listen(Identity, "after_update", _note)
