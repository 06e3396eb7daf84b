"""The job that prints: it takes what is due, renders outside any transaction, keeps the file, and
then says so. Killed anywhere, it begins again: the file is named by its content and the same award
gives the same bytes, so that a second printing is the first one."""

from __future__ import annotations

import datetime as dt
import logging
import traceback

from sqlalchemy import select

from certificates.documents import (
    ABANDONED_AFTER,
    FIRST_DELAY_SECONDS,
    MAX_ATTEMPTS,
    UNFINISHED,
    folder,
    name_digest,
    path_of,
    store,
)
from certificates.models import Document, DocumentState
from certificates.rendering import page, pdf
from lms import clock
from lms.db import db, transaction, writing
from lms.moments import is_due
from lms.people.models import Identity

log = logging.getLogger(__name__)

BATCH = 20
LONGEST_WAIT = dt.timedelta(seconds=FIRST_DELAY_SECONDS * 2**MAX_ATTEMPTS)


def run() -> None:
    """Remove what must go, then print what is due, until nothing is."""
    _remove_marked()
    while ids := _due():
        for document_id in ids:
            _print(document_id)
    _remove_marked()
    _remove_abandoned()


def _due() -> list[int]:
    with writing(False):
        db.session.rollback()
        found = list(
            db.session.scalars(
                select(Document.id)
                .where(
                    Document.state == DocumentState.WAITING.value,
                    is_due(Document.due_at, LONGEST_WAIT),
                )
                .order_by(Document.due_at, Document.id)
                .limit(BATCH)
            )
        )
        db.session.rollback()
    return found


def _print(document_id: int) -> None:
    try:
        made = _render(document_id)
    except Exception as error:
        # Whatever went wrong, one certificate must not keep the others waiting.
        log.error("certificate document %s: %s at %s", document_id, *_where(error))
        _note_failure(document_id, error)
        return
    if made is None:
        return
    digest, content = made
    sha256 = store(content)
    with transaction() as session:
        document = session.get_one(Document, document_id, with_for_update={"of": Document})
        if document.state == DocumentState.WAITING.value:
            document.state = DocumentState.READY.value
            document.name_digest = digest
            document.error = ""
            document.rendered_at = clock.now()
        # Erased meanwhile: the row stays marked, and the file just made goes with the next removal.
        document.sha256 = sha256
        document.size_bytes = len(content)


def _render(document_id: int) -> tuple[str, bytes] | None:
    """Return digest of the name and the PDF; None where the row is no longer waiting."""
    with writing(False):
        db.session.rollback()
        document = db.session.get(Document, document_id)
        if document is None or document.state != DocumentState.WAITING.value:
            db.session.rollback()
            return None
        award = document.award
        name = db.session.scalar(
            select(Identity.display_name).where(Identity.person_id == award.person_id)
        )
        if name is None:
            db.session.rollback()
            _mark_removed(document_id)
            return None
        html, identifier = page.build_page(award, name), award.uid.encode()
        knots = len(award.printed["proved"])
        digest = name_digest(award, name)
        db.session.rollback()
    return digest, pdf.render(html, identifier, knots)


def _mark_removed(document_id: int) -> None:
    """The holder was erased before the paper was printed: it never will be."""
    with transaction() as session:
        session.get_one(Document, document_id).state = DocumentState.REMOVED.value


def _where(error: Exception) -> tuple[str, str]:
    """What happened and where, without the error's own words: they may quote a name."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    return type(error).__name__, f"{last.filename}:{last.lineno}" if last else "unknown"


def _note_failure(document_id: int, error: Exception) -> None:
    """Try again later, each time later; give up visibly after some tries.

    The words kept are the error's kind and the first line of an OSError (a library or the disk):
    other messages could quote the page, and the page holds a name.
    """
    why = type(error).__name__
    if isinstance(error, OSError):
        why = f"{why}: {str(error).splitlines()[0] if str(error) else ''}"
    with transaction() as session:
        document = session.get_one(Document, document_id)
        document.attempts += 1
        document.error = why[:300]
        document.due_at = clock.now() + dt.timedelta(
            seconds=FIRST_DELAY_SECONDS * 2 ** (document.attempts - 1)
        )
        if document.attempts >= MAX_ATTEMPTS:
            document.state = DocumentState.FAILED.value


def _remove_marked() -> None:
    """Remove the files of documents that must go, then say so in their rows."""
    with writing(False):
        db.session.rollback()
        marked = db.session.execute(
            select(Document.id, Document.sha256).where(
                Document.state == DocumentState.REMOVED.value, Document.sha256 != ""
            )
        ).all()
        db.session.rollback()
    for document_id, sha256 in marked:
        path_of(sha256).unlink(missing_ok=True)
        with transaction() as session:
            document = session.get_one(Document, document_id)
            if document.state == DocumentState.REMOVED.value:
                document.sha256 = ""
                document.size_bytes = 0


def _remove_abandoned() -> None:
    """Remove what a killed worker left unfinished; it may hold a name."""
    if not folder().is_dir():
        return
    moment = clock.now()
    for file in folder().glob(f"*/*{UNFINISHED}"):
        written = dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC)
        if abs(moment - written) > ABANDONED_AFTER:  # ahead: the clock was set back since
            file.unlink(missing_ok=True)
