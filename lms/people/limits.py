"""Whose tries are counted together at sign-in, and how many there may be in a quarter of an hour.

What is guessed at is a *person*, however they were named; a name that nobody has is treated as a
person that nobody knows. Whoever comes from a device or place where the person has signed in
before (`lms.people.familiar`) has an allowance of their own. All others are strangers: they have
one for each place, and one that all of them share.

Right ones are given back: what is limited is guessing, and an office of five hundred people who
sign in at nine is one place. Secrets that cannot be guessed (links, passkeys) or that end by
themselves (a code, after five tries) are looked at first, and only wrong ones are counted.
See docs/decisions/0013-limits-on-guessing.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from lms.people import familiar, sign_in_log, tries
from lms.people.models import Identity

NOBODY = 0  # no person's id


@dataclass(frozen=True, slots=True)
class Limit:
    """How often something may be tried in a quarter of an hour.

    each: for one person, from one familiar device, from one familiar place, or by strangers from
    one place. strangers: for one person, by all strangers. place: by strangers from one place, for
    whomever.
    """

    kind: str
    each: int
    strangers: int
    place: int


PASSWORDS = Limit("password", each=10, strangers=30, place=300)
CODES = Limit("code", each=5, strangers=15, place=1000)  # each is a mail; all are counted
WRONG_FROM_ONE_PLACE = 300  # codes, links or passkeys
JOINS_FROM_ONE_PLACE = 1000  # a whole plant joins by one link, behind one address


@dataclass(frozen=True, slots=True)
class Spent:
    """One try that was counted: whether it is `within` its limits, and where it was counted."""

    within: bool
    own: tuple[str, str]
    shared: tuple[tuple[str, str], ...] = ()


def spend(limit: Limit, typed: str, identity: Identity | None) -> Spent:
    """Count one try at a person, before anything costly is done for it.

    typed: how they were named; it counts where `identity` is None, since nobody has that name.
    """
    whom = f"name/{typed}" if identity is None else f"person/{identity.person_id}"
    known = familiar.find(NOBODY if identity is None else identity.person_id)
    place = familiar.place()
    own = (limit.kind, f"{whom} {known or place}")
    counts = [(own, limit.each)]
    if known is None:
        counts += [
            ((f"{limit.kind} from", place), limit.place),
            ((f"{limit.kind} of", whom), limit.strangers),
        ]
    for (kind, subject), most in counts:
        number = tries.count(kind, subject)
        if number > most:
            if number == most + 1:  # once in a quarter of an hour
                sign_in_log.limited(identity, kind)
            return Spent(False, own)
    return Spent(True, own, tuple(shared for shared, _most in counts[1:]))


def give_back(spent: Spent) -> None:
    """Forget a try that was right, and the wrong ones before it from the same hands."""
    tries.forget(*spent.own)
    for kind, subject in spent.shared:
        tries.give_back(kind, subject)


def wrong(kind: str) -> bool:
    """Count something wrong that came from this place; return whether that is still within limits.

    kind: `code`, `link` or `passkey`.
    """
    number = tries.count(f"wrong {kind}", familiar.place())
    if number == WRONG_FROM_ONE_PLACE + 1:
        sign_in_log.limited(None, kind)
    return number <= WRONG_FROM_ONE_PLACE


def may_join() -> bool:
    """Count somebody who joins by a link from this place; return whether it is within limits."""
    number = tries.count("join from", familiar.place())
    if number == JOINS_FROM_ONE_PLACE + 1:
        sign_in_log.limited(None, "join")
    return number <= JOINS_FROM_ONE_PLACE
