"""Which statements target which: kept as a closure, so that filters follow it in one query.

"Statement a is a match when a targets b which targets c" (xAPI 1.0.3, Communication 2.1.3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, select

from lms.db import db
from xapi.lrs.models import LrsReference, LrsStatement


def link(
    new: Mapping[str, int], targets: Mapping[int, str], waiting: Sequence[tuple[Any, ...]]
) -> None:
    """Note whom the new statements target, and who targeted them before they came.

    new: statement id to row id. targets: for the new ones that have a target, row id to the
    target's statement id. waiting: rows (id, target, ...) of all, new ones too, that target a new
    one. A statement has one target, so that what one reaches is a chain.
    """
    if not targets and not waiting:
        return
    known = _find_ids([target for target in targets.values() if target not in new]) | dict(new)
    direct = {row[0]: known[row[1]] for row in waiting}
    direct |= {row_id: known[target] for row_id, target in targets.items() if target in known}
    below = _closure(LrsReference.source, LrsReference.target, list(direct.values()))
    above = _closure(LrsReference.target, LrsReference.source, list(direct))
    pairs = {
        (source, target)
        for one, reached in direct.items()
        for source in {one, *above.get(one, ())}
        for target in {reached, *below.get(reached, ())}
    }
    # Links inside the batch join chains that neither end knew of: repeat until nothing is new.
    while True:
        joined = _join(pairs)
        if joined <= pairs:
            break
        pairs |= joined
    pairs = {pair for pair in pairs if pair[0] != pair[1]}
    fresh = pairs - _known(pairs)
    if fresh:
        db.session.execute(
            insert(LrsReference),
            [{"source": source, "target": target} for source, target in sorted(fresh)],
        )


def unlink(row_ids: Sequence[int]) -> None:
    """Take statements that are to be removed out of their chains: nothing reaches through them."""
    above = _closure(LrsReference.target, LrsReference.source, list(row_ids))
    below = _closure(LrsReference.source, LrsReference.target, list(row_ids))
    through = {
        (source, target)
        for one in above.keys() & below.keys()
        for source in above[one]
        for target in below[one]
    }
    if through:
        db.session.connection().execute(
            delete(LrsReference).where(
                LrsReference.source == bindparam("a"), LrsReference.target == bindparam("b")
            ),
            [{"a": source, "b": target} for source, target in sorted(through)],
        )
    ends = or_(LrsReference.source.in_(row_ids), LrsReference.target.in_(row_ids))
    db.session.execute(delete(LrsReference).where(ends))


def _find_ids(statement_ids: list[str]) -> dict[str, int]:
    if not statement_ids:
        return {}
    rows = db.session.execute(
        select(LrsStatement.statement_id, LrsStatement.id).where(
            LrsStatement.statement_id.in_(statement_ids)
        )
    )
    return {row.statement_id: row.id for row in rows}


def _closure(side: Any, other: Any, ids: list[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for one, reached in db.session.execute(select(side, other).where(side.in_(ids))):
        found.setdefault(one, set()).add(reached)
    return found


def _join(pairs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    onward: dict[int, set[int]] = {}
    for source, target in pairs:
        onward.setdefault(source, set()).add(target)
    return {(source, further) for source, target in pairs for further in onward.get(target, ())}


def _known(pairs: set[tuple[int, int]]) -> set[tuple[int, int]]:
    sources = sorted({source for source, _ in pairs})
    return {
        (row.source, row.target)
        for row in db.session.execute(
            select(LrsReference.source, LrsReference.target).where(LrsReference.source.in_(sources))
        )
    }
