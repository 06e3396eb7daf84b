"""Reading what is chosen, batch by batch along an index, so that memory stays flat.

A batch ends after 500 rows or four megabytes. What is read up to is fixed beforehand: row ids are
given in the order of commits (see `xapi.lrs.store`), so that no statement comes in below one that
was seen.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, func, select, true, union

from lms.db import db
from xapi.keeping.choice import ATTACHMENTS, STATEMENTS, Choice
from xapi.lrs.attached import came_with
from xapi.lrs.documents import of_person
from xapi.lrs.keys import digest
from xapi.lrs.models import (
    LrsActivity,
    LrsAgent,
    LrsAttachment,
    LrsDocument,
    LrsMention,
    LrsReference,
    LrsStatement,
    LrsStatementAgent,
    LrsStatementAttachment,
    LrsVerb,
)

BATCH_MOST = 500
BATCH_MOST_BYTES = 4_000_000
NOTHING = -1


def count(choice: Choice, last: int) -> int:
    """Return how many lines all parts will have."""
    return sum(_count(choice, part, last) for part in choice.parts)


def batch(choice: Choice, part: str, cursor: str, last: int) -> tuple[list[bytes], str]:
    """Return the next lines of a part, without their ends, and the cursor after them; none: ready."""
    if part == STATEMENTS:
        return _statements(choice, int(cursor or 0), last)
    return (_attachments if part == ATTACHMENTS else _documents)(choice, cursor, last)


def _count(choice: Choice, part: str, last: int) -> int:
    if part == STATEMENTS:
        selects = _selects(choice, 0, last)
        found = selects[0] if len(selects) == 1 else union(*selects)
    elif part == ATTACHMENTS:
        found = select(LrsAttachment.sha2).where(*_of_chosen(choice, last))
    else:
        found = select(LrsDocument.id).where(*_of_agents(choice))
    return db.session.scalar(select(func.count()).select_from(found.subquery())) or 0


def _statements(choice: Choice, after: int, last: int) -> tuple[list[bytes], str]:
    found: set[int] = set()
    for asked in _selects(choice, after, last):
        place = asked.selected_columns[0]
        found |= set(db.session.scalars(asked.order_by(place).limit(BATCH_MOST)))
    ids = sorted(found)[:BATCH_MOST]
    rows = db.session.execute(
        select(LrsStatement.id, func.length(LrsStatement.text).label("bytes"))
        .where(LrsStatement.id.in_(ids))
        .order_by(LrsStatement.id)
    ).all()
    ids = _cut([(row.id, row.bytes) for row in rows])
    texts = db.session.scalars(
        select(LrsStatement.text).where(LrsStatement.id.in_(ids)).order_by(LrsStatement.id)
    )
    return [text.encode() for text in texts], str(ids[-1]) if ids else ""


def _selects(choice: Choice, after: int, last: int) -> list[Select[Any]]:
    """Return selects of the row ids that are chosen; together they are all of them."""
    narrower = _narrower(choice)
    if not choice.agents:
        return [
            select(LrsStatement.id).where(
                LrsStatement.id > after, LrsStatement.id <= last, *narrower
            )
        ]
    found: list[Select[Any]] = []
    for statement, named in _naming(choice.agents):
        for place, joined in (
            (statement, ()),
            (LrsReference.source, (LrsReference.target == statement,)),
        ):
            asked = select(place).distinct().where(*named, *joined, place > after, place <= last)
            if narrower:
                asked = asked.where(LrsStatement.id == place, *narrower)
            found.append(asked)
    return found


def _naming(keys: Sequence[str]) -> list[tuple[Any, list[ColumnElement[bool]]]]:
    """Return where statements that name one of these are listed: columns of row ids, conditions."""
    agents = list(db.session.scalars(select(LrsAgent.id).where(LrsAgent.key.in_(keys))))
    link, mention = LrsStatementAgent, LrsMention
    found: list[tuple[Any, list[ColumnElement[bool]]]] = [
        (link.statement, [link.agent_id == agent, link.direct.is_(direct)])
        for agent in agents
        for direct in (True, False)
    ]
    return [*found, *((mention.statement, [mention.person == key]) for key in keys)]


def _narrower(choice: Choice) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if choice.verb is not None:
        verb = db.session.scalar(select(LrsVerb.id).where(LrsVerb.key == digest(choice.verb)))
        conditions.append(LrsStatement.verb_id == (verb or NOTHING))
    if choice.since is not None:
        conditions.append(LrsStatement.stored > choice.since)
    if choice.until is not None:
        conditions.append(LrsStatement.stored <= choice.until)
    if not choice.voided:
        conditions.append(LrsStatement.voided.is_(False))
    return conditions


def _of_chosen(choice: Choice, last: int) -> list[ColumnElement[bool]]:
    """Return the condition that an attachment came with a chosen statement."""
    if choice.whole:
        return [true()]
    selects = _selects(choice, 0, last)
    chosen = selects[0] if len(selects) == 1 else union(*selects)
    return [came_with(LrsStatementAttachment.statement.in_(chosen))]


def _attachments(choice: Choice, after: str, last: int) -> tuple[list[bytes], str]:
    rows = db.session.execute(
        select(LrsAttachment.sha2, func.length(LrsAttachment.content).label("bytes"))
        .where(LrsAttachment.sha2 > after, *_of_chosen(choice, last))
        .order_by(LrsAttachment.sha2)
        .limit(BATCH_MOST)
    ).all()
    keys = _cut([(row.sha2, row.bytes) for row in rows])
    found = db.session.execute(
        select(LrsAttachment.sha2, LrsAttachment.content)
        .where(LrsAttachment.sha2.in_(keys))
        .order_by(LrsAttachment.sha2)
    )
    lines = [
        orjson.dumps({"sha2": row.sha2, "content": base64.b64encode(row.content).decode()})
        for row in found
    ]
    return lines, keys[-1] if keys else ""


def _of_agents(choice: Choice) -> list[ColumnElement[bool]]:
    return [of_person(choice.agents)] if choice.agents else [true()]


def _documents(choice: Choice, after: str, last: int) -> tuple[list[bytes], str]:
    rows = db.session.execute(
        select(LrsDocument.id, func.length(LrsDocument.content).label("bytes"))
        .where(LrsDocument.id > int(after or 0), *_of_agents(choice))
        .order_by(LrsDocument.id)
        .limit(BATCH_MOST)
    ).all()
    ids = _cut([(row.id, row.bytes) for row in rows])
    found = db.session.execute(
        select(LrsDocument, LrsAgent.identifier, LrsActivity.iri)
        .outerjoin(LrsAgent, LrsAgent.key == LrsDocument.agent)
        .outerjoin(LrsActivity, LrsActivity.key == LrsDocument.activity)
        .where(LrsDocument.id.in_(ids))
        .order_by(LrsDocument.id)
    )
    lines = [orjson.dumps(document_line(*row)) for row in found]
    db.session.expunge_all()
    return lines, str(ids[-1]) if ids else ""


def document_line(
    document: LrsDocument, identifier: dict[str, Any] | None, iri: str | None
) -> dict[str, Any]:
    """Return a document as it stands in a file; names of whom and what, where a statement told."""
    return {
        "kind": document.kind,
        "agentKey": document.agent,
        "agent": identifier,
        "activityKey": document.activity,
        "activityId": iri,
        "registration": document.registration or None,
        "id": document.name,
        "contentType": document.content_type,
        "etag": document.etag,
        "updated": document.updated.isoformat(),
        "content": base64.b64encode(document.content).decode(),
    }


def _cut(rows: Sequence[tuple[Any, int]]) -> list[Any]:
    """Return the keys of the first rows that are four megabytes together, and one at least."""
    kept: list[Any] = []
    so_far = 0
    for key, size in rows:
        so_far += size
        if kept and so_far > BATCH_MOST_BYTES:
            break
        kept.append(key)
    return kept
