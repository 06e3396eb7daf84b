"""Who may open what: the one place that decides.

Every view declares who may open it with `@allow(...)`; a route without a declaration fails the
build (`tests/contract/test_access.py`) and answers 404 at run time. Where a view is about
somebody, the address names that person (`<person_uid>`) or the declaration says how to find the
owner (`owner=`), and the relation between the viewer and that person decides.
No right and no such thing look the same from outside: 404.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Who(StrEnum):
    """Those to whom a view may be open."""

    PUBLIC = "public"  # anybody, signed in or not; say why in `reason`
    # Proves itself in the request (signature, Basic); say how in `reason`. What is open to machines
    # alone has no session and no person, and its answers say nothing to browsers but to keep away.
    MACHINE = "machine"
    SIGNED_IN = "signed in"
    AUTHOR = "author"
    MANAGER = "manager"
    ADMINISTRATOR = "administrator"
    # Relations to the person that the address is about:
    SELF = "self"
    ABOVE = "above"  # manages that person, directly or over others


MACHINES_ALONE = frozenset({Who.MACHINE})
RELATIONS = frozenset({Who.SELF, Who.ABOVE})


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a view declared: any one of `who` suffices."""

    who: frozenset[Who]
    owner: Callable[..., int | None] | None
    reason: str


def allow(
    *who: Who, owner: Callable[..., int | None] | None = None, reason: str = ""
) -> Callable[[F], F]:
    """Declare who may open a view: any one of `who` suffices.

    owner: for relations where the address has no `<person_uid>`: called with the address's values
    as keywords, returns the person id of the owner, or None (404).
    reason: required for PUBLIC and MACHINE.
    """
    if not who:
        raise ValueError("allow() needs at least one of Who")
    if (Who.PUBLIC in who or Who.MACHINE in who) and not reason:
        raise ValueError("a view open to the public or to machines must say why")

    def declare(view: F) -> F:
        view.__lms_access__ = Declaration(frozenset(who), owner, reason)  # type: ignore[attr-defined]
        return view

    return declare


def declaration_of(view: Callable[..., Any]) -> Declaration | None:
    """Return what a view declared, or None."""
    found: Declaration | None = getattr(view, "__lms_access__", None)
    return found
