"""How much is kept, and how far files are: for the administrator's page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select

from lms.db import db
from lms.people.names import display_names
from xapi.keeping.choice import read_choice
from xapi.keeping.export import UNDER_WAY, until
from xapi.keeping.models import Export
from xapi.lrs.models import LrsAgent, LrsDocument, LrsStatement
from xapi.outbox.models import OutboxStatement

KNOTS = 12


@dataclass(frozen=True, slots=True)
class Figures:
    """How much the store and the outbox hold, and since when."""

    statements: int
    since: dt.datetime | None
    documents: int
    outbox: int


@dataclass(frozen=True, slots=True)
class Shown:
    """An export as it is shown. whose: a name, an agent's identifier, or empty for everybody."""

    uid: str
    state: str
    made_at: dt.datetime
    until: dt.datetime | None
    whose: str
    by: str
    under_way: bool
    done: int
    to_do: int
    knots: int
    parts: tuple[tuple[str, int], ...]
    words: str


def count() -> Figures:
    """Count what is kept."""
    return Figures(
        statements=_rows(LrsStatement),
        since=db.session.scalar(select(LrsStatement.stored).order_by(LrsStatement.id).limit(1)),
        documents=_rows(LrsDocument),
        outbox=_rows(OutboxStatement),
    )


def _rows(model: type[LrsStatement] | type[LrsDocument] | type[OutboxStatement]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def exports(found: Sequence[Export]) -> list[Shown]:
    """Return exports as they are shown."""
    names = display_names(
        {one for export in found for one in (export.by_id, export.person_id) if one is not None}
    )
    return [
        Shown(
            uid=export.uid,
            state=export.state,
            made_at=export.made_at,
            until=until(export) if export.ended_at else None,
            whose=_whose(export, names),
            by=names.get(export.by_id or 0, ""),
            under_way=export.state in UNDER_WAY,
            done=export.done,
            to_do=export.to_do,
            knots=KNOTS * export.done // max(export.to_do, 1),
            parts=tuple(
                (part, export.sizes[part])
                for part in read_choice(export.wanted).parts
                if part in export.sizes
            ),
            words=export.words,
        )
        for export in found
    ]


def _whose(export: Export, names: dict[int, str]) -> str:
    if export.person_id is not None:
        return names.get(export.person_id, "")
    keys = read_choice(export.wanted).agents
    if not keys:
        return ""
    found = db.session.scalar(select(LrsAgent.identifier).where(LrsAgent.key.in_(keys)).limit(1))
    if not found:
        return str(_("somebody whom no statement names"))
    [value] = found.values()
    return f"{value['homePage']} {value['name']}" if isinstance(value, dict) else str(value)
