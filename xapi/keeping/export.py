"""Statements as files: asked for on a page, written by a job, kept for a week.

The job notes after each batch how far it is; killed at any point, the next worker cuts off what
was not noted, and goes on.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import delete, select, update

from lms import audit, clock
from lms.db import db, transaction, writing
from lms.errors import Gone, NotFound
from lms.jobs.queue import wake
from xapi.delivery.lock import only_one
from xapi.keeping import files, rows
from xapi.keeping.choice import Choice, read_choice
from xapi.keeping.models import Export, ExportState
from xapi.lrs.store import last_place

log = logging.getLogger(__name__)

JOB = "xapi.export"
KEPT_DAYS = 7
SHOWN = 20
UNDER_WAY = (ExportState.WAITING.value, ExportState.RUNNING.value)


def ask(choice: Choice, by_id: int | None, person_id: int | None = None) -> Export:
    """Ask for files; the worker writes them."""
    made = Export(wanted=choice.plain(), by_id=by_id, person_id=person_id)
    db.session.add(made)
    db.session.flush()
    audit.note("xapi.export.asked", f"export/{made.uid}", by_id, narrowed=not choice.whole)
    wake(JOB)
    return made


def list_all() -> Sequence[Export]:
    """Return what was asked for and is not forgotten yet, newest first."""
    return db.session.scalars(select(Export).order_by(Export.id.desc()).limit(SHOWN)).all()


def get(uid: str) -> Export:
    """Return an export; raises NotFound."""
    found = db.session.scalar(select(Export).where(Export.uid == uid))
    if found is None:
        raise NotFound("There is no such file, or its week is over.")
    return found


def stop(uid: str, by_id: int | None) -> None:
    """End one that is under way, or throw a ready one away; its files go."""
    found = get(uid)
    found.state, found.ended_at = ExportState.STOPPED.value, clock.now()
    audit.note("xapi.export.stopped", f"export/{uid}", by_id)
    wake(JOB)


def stop_all(words: str) -> None:
    """End all there are, since what they hold may hold somebody who is to be removed."""
    db.session.execute(
        update(Export)
        .where(Export.state.in_((*UNDER_WAY, ExportState.READY.value)))
        .values(state=ExportState.STOPPED.value, words=words, ended_at=clock.now())
    )
    wake(JOB)


def file_of(uid: str, part: str) -> Path:
    """Return a part's file, to be sent; raises NotFound, or Gone where its time is over."""
    found = get(uid)
    if found.state != ExportState.READY.value or part not in read_choice(found.wanted).parts:
        raise NotFound("There is no such file, or its week is over.")
    path = files.path_of(uid, part, found.compressed)
    if until(found) < clock.now() or not path.is_file():
        raise Gone("The week of this file is over. Ask for it again.")
    return path


def until(export: Export) -> dt.datetime:
    """Return until when a file is kept."""
    return (export.ended_at or export.made_at) + dt.timedelta(days=KEPT_DAYS)


def work() -> None:
    """The job: forget what is over, and write what was asked for, oldest first."""
    with only_one("export") as ours:
        if not ours:
            return
        _forget()
        while (uid := _next()) is not None:
            try:
                _write(uid)
            except OSError as error:
                log.exception("a file of statements cannot be written")
                _end(uid, ExportState.FAILED, error.strerror or type(error).__name__)
            _forget()


def _next() -> str | None:
    with transaction() as session:
        return session.scalar(
            select(Export.uid).where(Export.state.in_(UNDER_WAY)).order_by(Export.id).limit(1)
        )


def _write(uid: str) -> None:
    while _step(uid):
        pass


def _step(uid: str) -> bool:
    """Write one batch and note it; return whether there is more to do."""
    export = _begun(uid)
    if export is None:
        return False
    choice = read_choice(export.wanted)
    with _reading():
        lines, cursor = rows.batch(choice, export.part, export.cursor, export.last_row)
    if lines or export.part not in export.sizes:
        path = files.path_of(uid, export.part, export.compressed)
        size = files.append(path, export.sizes.get(export.part, 0), lines)
        sizes = {**export.sizes, export.part: size}
        return _note(
            uid, cursor=cursor or export.cursor, sizes=sizes, done=export.done + len(lines)
        )
    following = choice.parts[choice.parts.index(export.part) + 1 :]
    if following:
        return _note(uid, part=following[0], cursor="")
    _end(uid, ExportState.READY)
    return False


def _begun(uid: str) -> Export | None:
    """Return an export that is under way, detached; how much there is to do is known from then on."""
    with transaction() as session:
        export = session.scalar(select(Export).where(Export.uid == uid))
        if export is None or export.state not in UNDER_WAY:
            return None
        if export.state == ExportState.WAITING.value:
            choice = read_choice(export.wanted)
            export.last_row = last_place().id
            export.to_do = rows.count(choice, export.last_row)
            export.compressed = export.to_do > files.LARGE
            export.state = ExportState.RUNNING.value
            session.flush()
        session.expunge(export)
        return export


def _note(uid: str, **values: object) -> bool:
    """Note how far it is; False where it was stopped meanwhile."""
    with transaction() as session:
        changed = session.execute(
            update(Export).where(Export.uid == uid, Export.state.in_(UNDER_WAY)).values(**values)
        )
        return bool(changed.rowcount)  # type: ignore[attr-defined]


def _end(uid: str, state: ExportState, words: str = "") -> None:
    _note(uid, state=state.value, words=words, ended_at=clock.now())


def _forget() -> None:
    """Remove rows whose week is over, and every file that belongs to no row that still has one."""
    with transaction() as session:
        over = clock.now() - dt.timedelta(days=KEPT_DAYS)
        session.execute(delete(Export).where(Export.ended_at < over))
        kept = session.scalars(
            select(Export.uid).where(Export.state.in_((*UNDER_WAY, ExportState.READY.value)))
        ).all()
    files.sweep(frozenset(kept))


@contextmanager
def _reading() -> Iterator[None]:
    """Read in a transaction that takes no lock, and is over at once."""
    db.session.rollback()
    with writing(False):
        try:
            yield
        finally:
            db.session.rollback()
