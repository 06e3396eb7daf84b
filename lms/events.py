"""Events: how packages that do not know each other hear of each other.

`publish(event)` calls, at once and in the same transaction, every listener that an enabled plugin
registered for the event's type. A listener must be quick: it notes a durable row and wakes a job
(`lms.jobs.wake`). An event is a frozen dataclass; it speaks of sets of people, never of one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from flask import Flask, current_app


class Event:
    """Base of every event."""


@dataclass(frozen=True, slots=True)
class EvidenceChanged(Event):
    """What is known of these people's learning or use has changed."""

    person_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class StandingChanged(Event):
    """What these columns of the manager's page say of these people may have changed.

    person_ids None: of everybody (a path has other courses now, a certificate is offered no more);
    a job then looks, soon. columns: slugs of `lms.plugin.TeamColumn`.
    """

    person_ids: frozenset[int] | None
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class PeopleChanged(Event):
    """These people were added, moved, changed role or department, or were (de)activated."""

    person_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class PersonErased(Event):
    """This person's name, addresses and sign-in are gone; empty every row that could name them."""

    person_id: int


class SignInChange(StrEnum):
    """What can change in how somebody signs in."""

    PASSWORD_SET = "password_set"  # noqa: S105 - what happened
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - what happened
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    ADDRESS_CHANGED = "address_changed"


@dataclass(frozen=True, slots=True)
class SignInChanged(Event):
    """How these people sign in has changed: they are told, in case it was somebody else.

    key: names this change. former: the addresses that were theirs until now, by person.
    """

    person_ids: frozenset[int]
    change: SignInChange
    key: str
    former: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listener:
    """A plugin's wish to hear of one type of event."""

    event: type[Event]
    call: Callable[[Any], None]


def init_app(app: Flask, listeners: Iterable[Listener]) -> None:
    """Register the listeners of the enabled plugins, in the plugins' order."""
    table: dict[type[Event], list[Callable[[Any], None]]] = defaultdict(list)
    for listener in listeners:
        table[listener.event].append(listener.call)
    app.extensions["lms.events"] = dict(table)


def publish(event: Event) -> None:
    """Tell every listener of `type(event)`; an exception in one fails the whole transaction."""
    for call in current_app.extensions["lms.events"].get(type(event), ()):
        call(event)
