"""Printed documents: one row for each printing, rendered by the worker, kept by its content.

The row says what is to be done; the file appears whole or not at all (`store`). A file that must
go is marked first and removed by the worker, so that a rolled-back transaction removes nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from flask import current_app
from sqlalchemy import func, insert, select, update

from certificates.models import Award, Document, DocumentState
from lms import clock
from lms.db import db
from lms.errors import Conflict
from lms.jobs.queue import wake
from lms.people.models import Identity

RENDER = "certificates.render"
MAX_ATTEMPTS = 8
PEOPLE_STEP = 500  # people named in one query: databases have a limit
FIRST_DELAY_SECONDS = 15
UNFINISHED = ".unfinished"
ABANDONED_AFTER = dt.timedelta(hours=1)


class NotReady(Conflict):
    """The document cannot be asked for again just now."""


def folder() -> Path:
    """Return the folder of printed certificates."""
    instance: Path = current_app.config["LMS_INSTANCE"]
    return instance / "certificates"


def path_of(sha256: str) -> Path:
    """Return where the file with this content lies."""
    return folder() / sha256[:2] / f"{sha256}.pdf"


def store(content: bytes) -> str:
    """Keep a file under the SHA-256 of its bytes, and return that.

    It is written beside its place, flushed to the disk and then renamed: whoever is killed on the
    way leaves no half file under a name that anybody reads.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    target = path_of(sha256)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        dir=target.parent, suffix=UNFINISHED, delete=False
    ) as unfinished:
        try:
            unfinished.write(content)
            unfinished.flush()
            os.fsync(unfinished.fileno())
            Path(unfinished.name).replace(target)
        except BaseException:
            Path(unfinished.name).unlink(missing_ok=True)
            raise
    return sha256


def request_first(award_ids: Iterable[int]) -> None:
    """Have awards that are new printed, in the caller's transaction."""
    moment = clock.now()
    db.session.execute(
        insert(Document), [{"award_id": one, "number": 1, "due_at": moment} for one in award_ids]
    )
    wake(RENDER)


def request_document(award: Award) -> Document:
    """Have an award printed, in the caller's transaction."""
    last = db.session.scalar(select(func.max(Document.number)).where(Document.award_id == award.id))
    document = Document(award_id=award.id, number=(last or 0) + 1, due_at=clock.now())
    db.session.add(document)
    wake(RENDER)
    return document


def find_document(award_id: int) -> Document | None:
    """Return the newest printing of an award, or None."""
    return db.session.scalar(
        select(Document)
        .where(Document.award_id == award_id)
        .order_by(Document.number.desc())
        .limit(1)
    )


def printings(award_id: int) -> list[Document]:
    """Return every printing of an award that was finished, oldest first."""
    return list(
        db.session.scalars(
            select(Document)
            .where(Document.award_id == award_id, Document.rendered_at.is_not(None))
            .order_by(Document.number)
        )
    )


def ask_again(document: Document) -> None:
    """Have the worker try a failed document again, from the beginning."""
    if document.state != DocumentState.FAILED.value:
        raise NotReady("Only a document that could not be printed is asked for again.")
    document.state = DocumentState.WAITING.value
    document.attempts = 0
    document.due_at = clock.now()
    wake(RENDER)


def name_digest(award: Award, name: str) -> str:
    """Return a keyed digest of the name on the paper: it tells a change, and no name."""
    key = current_app.config["LMS_SECRET_KEY"].encode()
    return hmac.new(key, f"{award.uid}\n{name}".encode(), hashlib.sha256).hexdigest()


def reprint_changed(person_ids: frozenset[int]) -> int:
    """Have every award printed again whose holder's name is not the one on its paper; count them."""
    ordered = sorted(person_ids)
    rows: list[tuple[Document, str]] = []
    for at in range(0, len(ordered), PEOPLE_STEP):
        found = db.session.execute(
            select(Document, Identity.display_name)
            .join(Award, Award.id == Document.award_id)
            .join(Identity, Identity.person_id == Award.person_id)
            .where(
                Award.person_id.in_(ordered[at : at + PEOPLE_STEP]),
                Document.state == DocumentState.READY.value,
            )
        )
        rows += [(document, name) for document, name in found]
    changed = 0
    for document, name in rows:
        if document.name_digest != name_digest(document.award, name):
            document.state = DocumentState.REMOVED.value
            request_document(document.award)
            changed += 1
    return changed


def remove_of(person_id: int) -> None:
    """Mark every document of an erased person for removal, and empty what could tell the name."""
    own = select(Award.id).where(Award.person_id == person_id)
    db.session.execute(
        update(Document)
        .where(Document.award_id.in_(own))
        .values(state=DocumentState.REMOVED.value, name_digest="", error="")
    )
    wake(RENDER)


def download_name(award: Award, name: str) -> str:
    """Return a sensible file name: "Connected Colleague - Imani Okafor.pdf"."""
    whole = f"{award.printed['title']} - {name}" if name else str(award.printed["title"])
    kept = "".join(
        letter if unicodedata.category(letter)[0] in "LMNPSZ" else " " for letter in whole
    )
    safe = re.sub(r'[\\/:*?"<>|%;]+', " ", kept)
    return f"{' '.join(safe.split()).strip('. ')[:120] or 'certificate'}.pdf"


def is_lost(document: Document) -> bool:
    """Whether a finished document's file is missing from the disk."""
    ready = document.state == DocumentState.READY.value
    return ready and not path_of(document.sha256).is_file()


def replace_lost(award: Award) -> None:
    """Have an award printed again if its file is missing; otherwise nothing happens."""
    document = find_document(award.id)
    if document is not None and is_lost(document):
        document.state = DocumentState.WAITING.value
        document.attempts = 0
        document.due_at = clock.now()
        wake(RENDER)
