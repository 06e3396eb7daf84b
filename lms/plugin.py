"""What a plugin is: a frozen record of all that a package adds to the suite.

A package offers one `Plugin` under the entry point group `lms.plugins`; ours come the same way as
a stranger's. `LMS_PLUGINS` says which are on (empty: all that are installed). There is nothing to
subclass and nothing runs at import: the kernel reads these fields in `lms.app.create_app`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

import click
from flask import Blueprint, Flask, current_app
from sqlalchemy import Select

from lms.config import Setting
from lms.errors import Misconfigured
from lms.events import Listener
from lms.evidence import Conditions, Measure
from lms.jobs.queue import Job

ENTRY_POINTS = "lms.plugins"
NO_PLUGIN = "none"
NAME = re.compile(r"[a-z][a-z0-9_]*")
# What the kernel itself uses as prefixes of addresses, tables and templates.
RESERVED = frozenset({"lms", "web", "people", "teams", "notices", "static", "vendor"})


class Audience(StrEnum):
    """Who is shown a navigation item (the view's own declaration decides who may open it)."""

    LEARNER = "learner"
    AUTHOR = "author"
    MANAGER = "manager"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class NavItem:
    """A place in the main navigation. `label` is lazily translated; lower `order` comes first.

    needs: the field of `Plugin` that some part must fill, or there would be nothing to see.
    """

    label: Any
    endpoint: str
    audience: Audience = Audience.LEARNER
    order: int = 50
    needs: str = ""


@dataclass(frozen=True, slots=True)
class HomeCard:
    """A card on a learner's first page.

    `load(person_id)` returns the context for `template`, or None when there is nothing to say.
    A card with `primary` in its context asks for the page's one primary action; the first card
    that asks gets it, and its template finds `primary` true (all others false). Such a card may
    say `minutes` (3 makes the greeting end with "Three minutes?") or a `question` of its own; any
    card may say `eyebrow`, the line above the greeting ("Day 6 of your first 30").
    """

    slug: str
    template: str
    load: Callable[[int], Mapping[str, Any] | None]
    order: int = 50


class CellState(StrEnum):
    """What a cell of the manager's page can say; words and colours are the kernel's."""

    DONE = "done"
    ON_TRACK = "on_track"
    DUE = "due"  # within a week
    OVERDUE = "overdue"
    NOT_STARTED = "not_started"
    MET = "met"  # a certificate condition; never how much of it
    NOT_MET = "not_met"
    NONE = "none"  # nothing is asked of this person here


class TeamColumn(Protocol):
    """A column of the manager's page: one select for all people, paged and sorted by the kernel.

    `cells(people)`: `people` selects person ids; returns rows (person_id, state, number, due_at):
    state a CellState value, number an optional int that the kernel shows as "4 of 9" when `total`
    is set (never a count of what someone did in the network), due_at an optional datetime.
    A person without a row reads as NONE. A column with `detail` is shown on the page of one person
    only, not in the table (the conditions of a certificate).

    Say ON_TRACK or NOT_STARTED and give due_at: the kernel makes DUE and OVERDUE of them, day by
    day. The kernel keeps the cells of columns in the table (`lms.teams.standing`). It asks for
    those of the people concerned at each `lms.events.EvidenceChanged` and `PeopleChanged`, and for
    everybody's once a day. A column with `announced` true is asked only where its plugin publishes
    `lms.events.StandingChanged`, which is cheaper. One with `earned` true tells of something that
    may be earned and is asked of nobody (MET, NOT_MET).

    A column whose label somebody wrote may say in which `language` (a BCP 47 tag).

    A column with `detail` may also offer `where(person_id)`: a few words that say where one person
    is ("On lesson 2 of 4"), or None. Never what somebody wrote or answered, nor when.
    """

    slug: str
    label: Any
    total: int | None
    detail: bool

    def cells(self, people: Select[tuple[int]]) -> Select[Any]:
        """Return one row for each person who has something to show."""
        ...


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """A kind of notice a plugin sends: its templates `<template>.txt` and `.html`, and its reason.

    `subject` is lazily translated, with %(name)s places filled from the notice's data. A template
    `.html` may be left out: the mail then shows the text as a page. A kind with a `label` (lazily
    translated: "Reminders of what is due") can be stopped as mail by whoever gets it; it stands on
    their page all the same. One without is mailed always.
    """

    slug: str
    subject: Any
    template: str
    purpose: str
    label: Any = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A question `ropes doctor` and, if `vital`, `/healthz` ask.

    `run()` returns None when all is well, else a sentence that says what is wrong and what to do.
    """

    name: str
    run: Callable[[], str | None]
    vital: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """One kind of thing that is held about a person, for the page that tells them.

    purpose, seen_by, kept: whole sentences, lazily translated: what for, who sees it, how long.
    `rows(person_id)` returns plain values (text, numbers, dates), newest first; secrets and hashes
    are left out. The page shows the first few, the person's export all.
    `sentence(row)` says a row in words, for the page; the values stand behind it, on demand. A
    moment named `at` is shown beside it. Without it the page lists names and values.
    """

    slug: str
    label: Any
    purpose: Any
    seen_by: Any
    kept: Any
    rows: Callable[[int], Sequence[Mapping[str, Any]]]
    sentence: Callable[[Mapping[str, Any]], str] | None = None


@dataclass(frozen=True, slots=True)
class Erasable:
    """What is kept of a person under their opaque id, and may be removed with who they are.

    It is offered, as a box to tick, where an administrator removes who a person is; what names the
    person must go in any case (`lms.events.PersonErased`). label: what the box says; about: a
    sentence on what goes and what stays. `erase(person_id, by_id)` is called in the same
    transaction while name and addresses are still there; long work is asked of a job.
    """

    slug: str
    label: Any
    about: Any
    erase: Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of thing that lines of the audit log are about, for the page that shows them.

    kind: what stands before the slash ("course" of "course/welcome"), or the whole. label: what
    such a thing is called, lazily translated. `names(keys)` returns what those that are still
    there are called, by what stands after the slash, in one query.
    """

    kind: str
    label: Any
    names: Callable[[Sequence[str]], Mapping[str, str]] | None = None


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """All that one package adds. Every field but `name` and `label` may stay empty.

    name: prefix of its tables, URLs, templates, settings, static files and commands.
    requires: names of plugins that must be on as well.
    models: dotted modules whose import defines its tables; loaded before the database is used.
    blueprints: its pages; each is registered at its own `url_prefix`.
    migrations: folder of its Alembic branch, labelled `name`.
    team_columns: a function, since columns depend on what is published today.
    conditions: a function that returns what people work on now (`lms.evidence.Condition`); by it
    a network knows which acts count toward something.
    acts: what it writes to the audit log (`lms.audit.note`), by name, in words lazily translated.
    folders: the folders that it keeps in the instance folder, by name.
    demo: (order, dotted `module:function`) steps of the demo company, run by `ropes demo` only.
    on_start: called once with the app, after everything is registered, before the first request.
    """

    name: str
    label: Any
    requires: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    migrations: Path | None = None
    translations: Path | None = None
    blueprints: tuple[Blueprint, ...] = ()
    navigation: tuple[NavItem, ...] = ()
    home_cards: tuple[HomeCard, ...] = ()
    team_columns: Callable[[], Sequence[TeamColumn]] | None = None
    settings: tuple[Setting, ...] = ()
    commands: tuple[click.Command, ...] = ()
    jobs: tuple[Job, ...] = ()
    listeners: tuple[Listener, ...] = ()
    measures: tuple[Measure, ...] = ()
    conditions: Conditions | None = None
    notice_kinds: tuple[NoticeKind, ...] = ()
    checks: tuple[Check, ...] = ()
    held: tuple[Held, ...] = ()
    erasable: tuple[Erasable, ...] = ()
    acts: Mapping[str, Any] = field(default_factory=dict)
    subjects: tuple[Subject, ...] = ()
    folders: tuple[str, ...] = ()
    csrf_exempt: tuple[Blueprint, ...] = ()  # blueprints for machines, which prove themselves
    demo: tuple[tuple[int, str], ...] = field(default=())
    on_start: Callable[[Flask], None] | None = None


def installed(wanted: Iterable[str] = ()) -> dict[str, Plugin]:
    """Load the installed plugins that are wanted (empty: all), by name, in order of name.

    One that is not wanted is not even imported: a broken one can be switched off. Raises
    Misconfigured where a distribution offers something that is not a Plugin, cannot be imported,
    bears a name that is not its own, or where two distributions offer the same name.
    """
    names = set(wanted)
    found: dict[str, Plugin] = {}
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        if names and entry.name not in names:
            continue
        advice = "Ask whoever made the package, or leave it out with LMS_PLUGINS."
        if entry.name in found:
            raise Misconfigured(f"Two packages bring a plugin “{entry.name}”. Uninstall one.")
        if entry.name in RESERVED or not NAME.fullmatch(entry.name):
            raise Misconfigured(f"A plugin may not be named “{entry.name}”. {advice}")
        try:
            plugin = entry.load()
        except (ImportError, AttributeError) as error:
            raise Misconfigured(
                f"The plugin “{entry.name}” cannot be loaded ({error}). {advice}"
            ) from error
        if not isinstance(plugin, Plugin) or plugin.name != entry.name:
            raise Misconfigured(
                f"The entry point {entry.name} = {entry.value} does not lead to a Plugin of that "
                f"name. {advice}"
            )
        found[plugin.name] = plugin
    return found


def choose(available: Mapping[str, Plugin], wanted: Sequence[str]) -> list[Plugin]:
    """Return the plugins that are on, requirements before those that need them.

    `wanted` empty means all, and `none` alone means none. Raises Misconfigured, in a sentence that says what to do, where a
    wanted plugin or a requirement is missing, or plugins require each other in a circle.
    """
    names = [name for name in wanted if name != NO_PLUGIN]
    if not names and NO_PLUGIN not in wanted:
        names = list(available)
    chosen: list[Plugin] = []
    state: dict[str, str] = {}

    def take(name: str, needed_by: str | None) -> None:
        if needed_by is not None and name not in names:
            raise Misconfigured(
                f"The plugin “{needed_by}” needs “{name}”, which is not on. Add {name} to "
                f"LMS_PLUGINS (install it if it is not there), or take {needed_by} out."
            )
        if name not in available:
            raise Misconfigured(
                f"The plugin “{name}” is not installed. Install it, or take it out of LMS_PLUGINS."
            )
        if state.get(name) == "done":
            return
        if state.get(name) == "open":
            raise Misconfigured(f"The plugins “{name}” and “{needed_by}” require each other.")
        state[name] = "open"
        for required in available[name].requires:
            take(required, name)
        state[name] = "done"
        chosen.append(available[name])

    for name in names:
        take(name, None)
    return chosen


def enabled() -> list[Plugin]:
    """Return the present app's plugins, requirements first."""
    found: list[Plugin] = current_app.extensions["lms.plugins"]
    return found


def act_in_words(act: str) -> str:
    """Return what an act of the audit log is called; one that nobody here knows by its own name."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    return next((str(part.acts[act]) for part in parts if act in part.acts), act)


def is_brought(field: str) -> bool:
    """Whether any part of the present app fills this field of `Plugin` (team_columns, ...)."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    return any(getattr(part, field) for part in parts)


def has_place_for(audience: Audience) -> bool:
    """Whether any part of the present app has a place for them: no authors without courses."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    return any(item.audience is audience for part in parts for item in part.navigation)
