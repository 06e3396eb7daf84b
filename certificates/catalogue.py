"""Certificates that can be earned, and the published versions of their rules."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from certificates.models import Definition, Origin, RuleVersion, Sweep
from certificates.rules.model import Rule
from certificates.rules.parse import parse
from certificates.standing import note_offer
from lms import audit, clock
from lms.db import db, one_at_a_time
from lms.errors import Conflict, NotFound
from lms.jobs.queue import wake
from lms.writers import reading_again

log = logging.getLogger(__name__)

LIBRARY = Path(__file__).parent / "library"
EVALUATE = "certificates.evaluate"
_others = aliased(RuleVersion)


class NoSuchCertificate(NotFound):
    """No certificate of that name is offered here."""


class Tampered(Conflict):
    """The stored text of a published rule no longer gives its published digest."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A certificate as it can be earned today: its definition and its newest rule."""

    definition_id: int
    version_id: int
    number: int
    rule: Rule
    digest: str


_OFFERED = (
    select(
        RuleVersion.definition_id,
        RuleVersion.id,
        RuleVersion.number,
        RuleVersion.text,
        RuleVersion.digest,
    )
    .join(Definition, Definition.id == RuleVersion.definition_id)
    .where(
        Definition.retired_at.is_(None),
        RuleVersion.number
        == select(func.max(_others.number))
        .where(_others.definition_id == Definition.id)
        .scalar_subquery(),
    )
)


def offered() -> list[Offered]:
    """Return every certificate that can be earned today, in the rules' order.

    A rule whose text was tampered with is left out, and logged; the administrator's page names it.
    """
    found = []
    for definition_id, version_id, number, text, digest in db.session.execute(_OFFERED):
        try:
            rule = _rule(number, text, digest)
        except Tampered as error:
            log.error("%s", error)
            continue
        found.append(Offered(definition_id, version_id, number, rule, digest))
    return sorted(found, key=lambda one: (one.rule.order, one.rule.slug))


def rule_of(version: RuleVersion) -> Rule:
    """Return the rule of a version; raises Tampered where text and digest have come apart."""
    return _rule(version.number, version.text, version.digest)


def _rule(number: int, text: str, digest: str) -> Rule:
    rule, own = _parsed(text)
    if own != digest:
        raise Tampered(
            "The text of rule version %(number)s of “%(slug)s” is not the published one. It is not evaluated. Publish the rule again.",
            number=number,
            slug=rule.slug,
        )
    return rule


@lru_cache(maxsize=256)
def _parsed(text: str) -> tuple[Rule, str]:
    """Return the rule that a published or shipped text means, and its digest."""
    with reading_again():
        rule = parse(text)
    return rule, rule.digest()


def get_offered(slug: str) -> Offered:
    """Return the certificate named `slug`; raises NoSuchCertificate."""
    for one in offered():
        if one.rule.slug == slug:
            return one
    raise NoSuchCertificate("There is no such certificate here.")


def publish(text: str, origin: Origin, actor_id: int | None = None) -> RuleVersion:
    """Publish a rule: a new certificate, or the next version of the one with its slug.

    Publishing what is already the newest version changes nothing. What was given under earlier
    versions stays given. Everybody is evaluated soon. Raises BadRule, naming line and key.
    """
    return _publish(parse(text), text, origin, actor_id)


def _publish(rule: Rule, text: str, origin: Origin, actor_id: int | None = None) -> RuleVersion:
    definition = _definition(rule.slug)
    newest = newest_version(definition.id)
    digest = rule.digest()
    if newest is not None and newest.digest == digest:
        return newest  # at most comments or spacing differ: it means the same
    version = RuleVersion(
        definition_id=definition.id,
        number=1 if newest is None else newest.number + 1,
        digest=digest,
        text=text,
        origin=origin.value,
        published_at=clock.now(),
    )
    db.session.add(version)
    db.session.flush()
    audit.note(
        "certificates.rule.published",
        f"certificate/{rule.slug}",
        actor_id,
        number=version.number,
        digest=digest,
        origin=origin.value,
    )
    request_sweep(f"published {rule.slug} {version.number}")
    note_offer(rule.slug)
    return version


def request_sweep(why: str) -> None:
    """Have everybody evaluated soon; one sweep that has not begun serves all who ask for one."""
    waiting = select(Sweep.id).where(Sweep.finished_at.is_(None), Sweep.reached == 0)
    if db.session.scalar(waiting.limit(1)) is None:
        db.session.add(Sweep(why=why[:80], requested_at=clock.now()))
        db.session.flush()
    wake(EVALUATE)


def load_library(folder: Path = LIBRARY) -> list[RuleVersion]:
    """Publish the shipped rules that were never published here; return the new versions.

    A certificate whose newest rule an administrator wrote is left alone.
    """
    one_at_a_time("certificates.library")
    new = []
    texts = [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.yaml"))]
    for rule, text in [(_parsed(text)[0], text) for text in texts]:
        definition = find_definition(rule.slug)
        if definition is not None:
            newest = newest_version(definition.id)
            if newest is not None and newest.origin != Origin.SHIPPED.value:
                continue
            known = select(RuleVersion.id).where(
                RuleVersion.definition_id == definition.id, RuleVersion.digest == rule.digest()
            )
            if db.session.scalar(known.limit(1)) is not None:
                continue
        new.append(_publish(rule, text, Origin.SHIPPED))
    return new


def find_definition(slug: str) -> Definition | None:
    """Return the certificate named `slug`, retired ones too, or None."""
    return db.session.scalar(select(Definition).where(Definition.slug == slug))


def newest_version(definition_id: int) -> RuleVersion | None:
    """Return the newest published version of a certificate's rule, or None."""
    return db.session.scalar(
        select(RuleVersion)
        .where(RuleVersion.definition_id == definition_id)
        .order_by(RuleVersion.number.desc())
        .limit(1)
    )


def set_retired(definition: Definition, retired: bool, actor_id: int | None = None) -> None:
    """Stop offering a certificate, or offer it again. What was given stays."""
    definition.retired_at = clock.now() if retired else None
    act = "certificates.retired" if retired else "certificates.offered_again"
    audit.note(act, f"certificate/{definition.slug}", actor_id)
    db.session.flush()
    note_offer(definition.slug)
    if not retired:
        request_sweep(f"offered again {definition.slug}")


def _definition(slug: str) -> Definition:
    """Return the definition, made if need be; the row is locked where the database can."""
    insert = (
        postgresql.insert(Definition)
        if db.session.get_bind().dialect.name == "postgresql"
        else sqlite.insert(Definition)
    )
    db.session.execute(
        insert.values(slug=slug, created_at=clock.now()).on_conflict_do_nothing(
            index_elements=["slug"]
        )
    )
    return db.session.scalars(
        select(Definition).where(Definition.slug == slug).with_for_update()
    ).one()
