"""The audit log, read: lines found by act, person, subject and day, and said in words.

Pages follow one another by the moment and number of their last line, so that the hundredth costs
what the first does; nothing is counted.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import or_, select, tuple_

from lms import audit, clock
from lms.audit import AuditEntry
from lms.days import midnight
from lms.db import db, row_number
from lms.errors import Invalid
from lms.people.models import Person
from lms.people.names import Name, names
from lms.plugin import Plugin, Subject, act_in_words

PAGE_ROWS = 50
SEARCHED = "audit.searched"
TAKEN = "audit.taken"
SAME_SEARCH = dt.timedelta(hours=1)  # in which turning a page is no search of its own
_ACT = re.compile(r"[a-z_.]{1,80}")
_SUBJECT = re.compile(r"[^\s\0]{1,200}")
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Filters:
    """What an address narrows to, the person aside. before: the number of a page's last line."""

    act: str = ""
    subject: str = ""
    since: dt.date | None = None
    until: dt.date | None = None
    before: int | None = None

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Filters:
        """Return the filters of an address; raises Invalid for what none of ours has."""
        try:
            return cls(
                act=_fitting(_ACT, args.get("act", "")),
                subject=_fitting(_SUBJECT, args.get("subject", "")),
                since=_day(args.get("since")),
                until=_day(args.get("until")),
                before=row_number(args["before"]) if "before" in args else None,
            )
        except (ValueError, OverflowError) as error:
            raise Invalid(_("This address says something that cannot be looked for.")) from error

    @property
    def any(self) -> bool:
        """Whether anything is narrowed."""
        return bool(self.act or self.subject or self.since or self.until)

    def at(self, before: int | None = None) -> Filters:
        """Return the same filters on another page; the newest where none is named."""
        return replace(self, before=before)

    def query(self) -> dict[str, Any]:
        """Return them as the address says them."""
        said = {
            "act": self.act,
            "subject": self.subject,
            "since": self.since,
            "until": self.until,
            "before": self.before,
        }
        return {name: str(value) for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class Line:
    """One line, in words. who: None where nobody was signed in. named: what it is about, if known."""

    entry: AuditEntry
    who: Name | None
    words: str
    label: str
    named: str
    person_uid: str
    details: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of lines, newest first; older: where the next begins, None at the end."""

    lines: Sequence[Line]
    older: int | None


def find(filters: Filters, person: Person | None, most: int = PAGE_ROWS) -> Found:
    """Return a page of lines; person: those that they did, and those about them."""
    wanted = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    if filters.act:
        wanted = wanted.where(AuditEntry.act == filters.act)
    if filters.subject:
        wanted = wanted.where(AuditEntry.subject == filters.subject)
    if person is not None:
        about = AuditEntry.subject == f"person/{person.uid}"
        wanted = wanted.where(or_(AuditEntry.actor_id == person.id, about))
    if filters.since:
        wanted = wanted.where(AuditEntry.at >= midnight(filters.since))
    if filters.until:
        wanted = wanted.where(AuditEntry.at < midnight(filters.until + _DAY))
    if filters.before is not None:
        last = db.session.get(AuditEntry, filters.before)
        if last is None:
            return Found([], None)
        wanted = wanted.where(tuple_(AuditEntry.at, AuditEntry.id) < (last.at, last.id))
    entries = db.session.scalars(wanted.limit(most + 1)).all()
    shown = entries[:most]
    return Found(_in_words(shown), shown[-1].id if len(entries) > most else None)


def note_search(person: Person, by: Person, turned: bool) -> None:
    """Write down that somebody's lines were looked for; turning the pages of a search is none."""
    subject = f"person/{person.uid}"
    lately = select(AuditEntry.id).where(
        AuditEntry.at >= clock.now() - SAME_SEARCH,
        AuditEntry.actor_id == by.id,
        AuditEntry.act == SEARCHED,
        AuditEntry.subject == subject,
    )
    if not turned or db.session.scalar(lately.limit(1)) is None:
        audit.note(SEARCHED, subject, by.id)


def known_acts() -> list[tuple[str, str]]:
    """Return every act that a part of this installation writes, with its words, by these."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    every = [(act, str(words)) for part in parts for act, words in part.acts.items()]
    return sorted(every, key=lambda one: one[1].casefold())


def subject_in_words(subject: str) -> str:
    """Return what a subject is and is called."""
    [(label, named)] = _subjects([subject]).values()
    return f"{label}: {named}" if named else label


def _in_words(entries: Sequence[AuditEntry]) -> list[Line]:
    mentioned = {
        value
        for entry in entries
        for name, value in entry.details.items()
        if name == "person" and isinstance(value, int)
    }
    who = names({entry.actor_id for entry in entries if entry.actor_id is not None} | mentioned)
    about = _subjects({entry.subject for entry in entries})
    return [
        Line(
            entry=entry,
            who=who.get(entry.actor_id) if entry.actor_id is not None else None,
            words=act_in_words(entry.act),
            label=about[entry.subject][0],
            named=about[entry.subject][1],
            person_uid=entry.subject.removeprefix("person/")
            if entry.subject.startswith("person/")
            else "",
            details=[
                (name, who[value].display if name == "person" and value in who else _said(value))
                for name, value in entry.details.items()
                if value not in ("", None)
            ],
        )
        for entry in entries
    ]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    return str(value)


def _subjects(subjects: set[str] | Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return what each subject is, and what it is called or its key; a query for each kind."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    kinds = {one.kind: one for part in parts for one in part.subjects}
    keys: dict[str, list[str]] = {}
    for subject in subjects:
        kind, _slash, key = subject.partition("/")
        keys.setdefault(kind, []).append(key)
    called = {kind: _names_of(kinds.get(kind), wanted) for kind, wanted in keys.items()}
    said = {}
    for subject in subjects:
        kind, _slash, key = subject.partition("/")
        label = str(kinds[kind].label) if kind in kinds else kind
        said[subject] = (label, called[kind].get(key, key))
    return said


def _names_of(kind: Subject | None, keys: Sequence[str]) -> Mapping[str, str]:
    return {} if kind is None or kind.names is None else kind.names(keys)


def _fitting(pattern: re.Pattern[str], text: str) -> str:
    if text and not pattern.fullmatch(text):
        raise ValueError("not one of ours")
    return text


def _day(text: str | None) -> dt.date | None:
    day = dt.date.fromisoformat(text) if text else None
    if day is not None and not 1970 <= day.year <= 9000:
        raise ValueError("a day that no calendar here has")
    return day
