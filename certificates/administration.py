"""What administrators see: rules and what they cannot measure, awards, and papers that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from certificates import documents
from certificates.catalogue import Tampered, newest_version, rule_of
from certificates.models import Award, Definition, Document, DocumentState, RuleVersion
from certificates.rules.compile import unavailable
from certificates.rules.model import Rule
from lms.db import BIGGEST_ID, db

PAGE = 50
CHECKED_MOST = 500


@dataclass(frozen=True, slots=True)
class DefinitionRow:
    """One certificate on the administrator's page."""

    definition: Definition
    version: RuleVersion
    rule: Rule | None  # None: the stored text was tampered with
    unknown: tuple[str, ...]  # titles of conditions whose plugin is off
    awards: int


def definition_rows() -> list[DefinitionRow]:
    """Return every certificate, retired ones too."""
    counts = dict(
        db.session.execute(select(Award.definition_id, func.count()).group_by(Award.definition_id))
        .tuples()
        .all()
    )
    rows = []
    for definition in db.session.scalars(select(Definition).order_by(Definition.slug)):
        version = newest_version(definition.id)
        if version is None:
            continue
        try:
            rule = rule_of(version)
        except Tampered:
            rule = None
        unknown = tuple(one.title for one in unavailable(rule)) if rule else ()
        rows.append(DefinitionRow(definition, version, rule, unknown, counts.get(definition.id, 0)))
    return rows


def failing_documents() -> Sequence[Document]:
    """Return papers that were given up, and those that have failed so far."""
    return db.session.scalars(
        select(Document)
        .where(
            (Document.state == DocumentState.FAILED.value)
            | ((Document.state == DocumentState.WAITING.value) & (Document.attempts > 0))
        )
        .order_by(Document.due_at)
        .limit(PAGE)
    ).all()


def recent_awards(page: int) -> tuple[Sequence[Award], bool]:
    """Return a page of awards, newest first, and whether there are more."""
    found = db.session.scalars(
        select(Award)
        .order_by(Award.earned_at.desc(), Award.id.desc())
        .offset(min(PAGE * page, BIGGEST_ID))
        .limit(PAGE + 1)
    ).all()
    return found[:PAGE], len(found) > PAGE


def check_printing() -> str | None:
    """For `ropes doctor`: whether papers fail."""
    failed = db.session.scalar(
        select(func.count())
        .select_from(Document)
        .where(Document.state == DocumentState.FAILED.value)
    )
    if failed:
        return (
            f"{failed} certificates could not be printed. The page Certificates of the "
            "administrator says why, and lets you try again."
        )
    return None


def check_files() -> str | None:
    """For `ropes doctor`: whether printed certificates lie where they are looked for."""
    ready = select(Document).where(Document.state == DocumentState.READY.value)
    newest = db.session.scalars(ready.order_by(Document.id.desc()).limit(CHECKED_MOST)).all()
    lost = sum(documents.is_lost(document) for document in newest)
    if not lost:
        return None
    return (
        f"{lost} of the newest {len(newest)} printed certificates are not in {documents.folder()}. "
        "Several machines need one folder for files (LMS_FILES); after a restore, copy the files "
        "back as well. Whoever holds one can have it printed again."
    )


def check_rules() -> str | None:
    """For `ropes doctor`: whether every rule can be met here."""
    problems = []
    for row in definition_rows():
        if row.definition.retired_at is not None:
            continue
        if row.rule is None:
            problems.append(
                f"The stored rule of “{row.definition.slug}” was changed by hand and is not "
                "evaluated: publish it again."
            )
        elif row.unknown:
            problems.append(
                f"Nobody can earn “{row.rule.title}”: no plugin that is on measures "
                f"{', '.join(row.unknown)}. Turn that plugin on, or retire the certificate."
            )
    return " ".join(problems) or None
