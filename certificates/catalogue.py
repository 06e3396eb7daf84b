"""Certificates that can be earned, and the published versions of their rules."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from certificates.models import Definition, Origin, RuleVersion, Sweep
from certificates.rules.model import Rule
from certificates.rules.parse import parse
from lms import audit, clock
from lms.db import db
from lms.errors import Conflict, NotFound
from lms.jobs.queue import wake

log = logging.getLogger(__name__)

LIBRARY = Path(__file__).parent / "library"
EVALUATE = "certificates.evaluate"


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


def offered() -> list[Offered]:
    """Return every certificate that can be earned today, in the rules' order.

    A rule whose text was tampered with is left out, and logged; the administrator's page names it.
    """
    newest = (
        select(RuleVersion.definition_id, func.max(RuleVersion.number).label("number"))
        .group_by(RuleVersion.definition_id)
        .subquery()
    )
    versions = db.session.scalars(
        select(RuleVersion)
        .join(
            newest,
            (newest.c.definition_id == RuleVersion.definition_id)
            & (newest.c.number == RuleVersion.number),
        )
        .join(Definition, Definition.id == RuleVersion.definition_id)
        .where(Definition.retired_at.is_(None))
    )
    found = []
    for version in versions:
        try:
            rule = rule_of(version)
        except Tampered as error:
            log.error("%s", error)
            continue
        found.append(Offered(version.definition_id, version.id, version.number, rule))
    return sorted(found, key=lambda one: (one.rule.order, one.rule.slug))


def rule_of(version: RuleVersion) -> Rule:
    """Return the rule of a version; raises Tampered where text and digest have come apart."""
    rule = _parsed(version.text)
    if rule.digest() != version.digest:
        raise Tampered(
            "The text of rule version %(number)s of “%(slug)s” is not the published one. It is not evaluated. Publish the rule again.",
            number=version.number,
            slug=rule.slug,
        )
    return rule


@lru_cache(maxsize=256)
def _parsed(text: str) -> Rule:
    return parse(text)


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
    rule = parse(text)
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
    new = []
    for file in sorted(folder.glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        rule = parse(text)
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
        new.append(publish(text, Origin.SHIPPED))
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
