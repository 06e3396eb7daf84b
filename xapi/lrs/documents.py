"""Documents kept for others: found, put, merged, removed (xAPI 1.0.3, Communication 2.2 and 3.1)."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Any

import orjson
from sqlalchemy import ColumnElement, delete, func, or_, select, text

from lms import clock
from lms.db import begin_writing, db
from xapi.lrs.errors import Conflicting, Oversized, PreconditionFailed, Refused
from xapi.lrs.keys import digest
from xapi.lrs.models import LrsDocument
from xapi.lrs.reading import check_numbers, read_json

DOCUMENT_MOST = 8 * 1024 * 1024  # bytes; larger things are attachments or files
JSON = "application/json"
MERGES_MOST = 20  # tries, where others change the same document meanwhile
LISTED_IN_MEMORY = 1024 * 1024  # bytes of ids; what is more goes to the disk
_TAG = re.compile(r'(?:W/)?"([^"]*)"|([^\s,"]+)')


@dataclass(frozen=True, slots=True)
class Group:
    """The documents that are listed together: of one kind, for an agent, an activity, or both.

    person: the agent's key as a person (`xapi.lrs.keys.find_person_key`); nothing is found by it
    here. registration: None stands for any where documents are listed, and for none where one is named.
    """

    kind: str
    agent: str = ""
    activity: str = ""
    registration: str | None = None
    person: str = ""


@dataclass(frozen=True, slots=True)
class Preconditions:
    """The headers If-Match and If-None-Match as they came, or None."""

    match: str | None
    none_match: str | None

    def check(self, etag: str | None) -> None:
        """Raise PreconditionFailed unless they hold; etag: of the present document, or None."""
        if self.match is not None and not _names(self.match, etag):
            raise PreconditionFailed(
                "If-Match: the document is not the one that this ETag names. Read it again."
            )
        if self.none_match is not None and _names(self.none_match, etag):
            raise PreconditionFailed("If-None-Match: there is a document here already.")

    def unchanged(self, etag: str) -> bool:
        """Tell whether who reads has this document already (RFC 9110, 13.1.2)."""
        return self.none_match is not None and _names(self.none_match, etag)

    @property
    def given(self) -> bool:
        """Whether there is any."""
        return self.match is not None or self.none_match is not None


def _names(header: str, etag: str | None) -> bool:
    if etag is None:
        return False
    if header.strip() == "*":
        return True
    return etag in {(quoted or bare).lower() for quoted, bare in _TAG.findall(header)}


def find_document(group: Group, name: str) -> LrsDocument | None:
    """Return a document, or None where there is none."""
    return db.session.scalar(select(LrsDocument).where(LrsDocument.key == _key(group, name)))


def list_names(
    group: Group, since: dt.datetime | None
) -> tuple[SpooledTemporaryFile[bytes], dt.datetime | None]:
    """Return the ids of a group's documents changed after `since`, and when the last of all was.

    The ids come as one list of JSON, in the order in which they were last changed, in a file, at
    whose end it stands. The standard gives such lists no pages and no end: however many there are,
    no more than a megabyte is held in memory, and the rest on the disk.
    """
    last_changed = func.max(LrsDocument.updated)
    asked = select(LrsDocument.name, last_changed).where(*_of(group)).group_by(LrsDocument.name)
    if since is not None:
        asked = asked.where(LrsDocument.updated > since)
    asked = asked.order_by(last_changed, LrsDocument.name).execution_options(yield_per=1000)
    last: dt.datetime | None = None
    # Whoever sends it closes it.
    file = SpooledTemporaryFile(max_size=LISTED_IN_MEMORY)  # noqa: SIM115
    for name, updated in db.session.execute(asked):
        file.write((b"[" if last is None else b",") + orjson.dumps(name))
        last = updated
    file.write(b"[]" if last is None else b"]")
    return file, last


def put(
    group: Group, name: str, content_type: str, content: bytes, asked: Preconditions, strict: bool
) -> None:
    """Keep a document in place of whatever is there.

    strict: an existing one is replaced only by who names its ETag (raises Conflicting).
    """
    found = _find_locked(group, name)
    asked.check(found.etag if found else None)
    if strict and found is not None and not asked.given:
        raise Conflicting(
            "There is a document here already. Check its current state, and set the header "
            "If-Match to its ETag to replace it."
        )
    _keep(found, group, name, content_type, content)


def post(group: Group, name: str, content_type: str, content: bytes, asked: Preconditions) -> None:
    """Merge an object of JSON into the document there is, or keep it where there is none.

    Top-level properties are replaced whole. Raises Refused where either is no object of JSON.
    """
    before = find_document(group, name)
    asked.check(before.etag if before else None)
    sent = _read_object(content, "The document sent") if _is_json(content_type) else None
    for _ in range(MERGES_MOST):
        before = find_document(group, name)
        asked.check(before.etag if before else None)
        etag, merged, merged_type = None, content, content_type
        if before is not None:
            etag, merged_type = before.etag, before.content_type
            merged = _merge(before, sent)
        found = _find_locked(group, name)
        if (found.etag if found else None) == etag:
            _keep(found, group, name, merged_type, merged)
            return
        db.session.rollback()  # somebody changed it meanwhile; nobody waits while this is merged
    raise Conflicting("Others change this document all the time. Nothing was kept; send it again.")


def _merge(kept: LrsDocument, sent: dict[str, Any] | None) -> bytes:
    if sent is None:
        raise Refused("Content-Type: only application/json can be merged into a document")
    if not _is_json(kept.content_type):
        raise Refused("The document kept here is not application/json: nothing can be merged.")
    return orjson.dumps({**_read_object(kept.content, "The document kept here"), **sent})


def remove(group: Group, name: str, asked: Preconditions) -> None:
    """Remove a document; none is none the less removed."""
    found = _find_locked(group, name)
    asked.check(found.etag if found else None)
    if found is not None:
        db.session.delete(found)


def remove_all(group: Group, asked: Preconditions) -> None:
    """Remove every document of a group; raises PreconditionFailed where an ETag is named.

    Several documents have none together: what the caller has seen of them cannot be told, and
    removing what was changed meanwhile is what the caller asked us not to do.
    """
    if asked.given:
        raise PreconditionFailed(
            "If-Match, If-None-Match: several documents have no ETag together. Remove them one by "
            "one, or without these headers."
        )
    db.session.execute(delete(LrsDocument).where(*_of(group)))


def _keep(
    found: LrsDocument | None, group: Group, name: str, content_type: str, content: bytes
) -> None:
    if len(content) > DOCUMENT_MOST:
        raise Oversized(f"A document is at most {DOCUMENT_MOST} bytes long.")
    if found is None:
        found = LrsDocument(
            key=_key(group, name),
            kind=group.kind,
            agent=group.agent,
            person=group.person,
            activity=group.activity,
            registration=group.registration or "",
            name=name,
        )
        db.session.add(found)
    found.content_type, found.content = content_type, content
    found.etag = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    found.updated = clock.now()


def _find_locked(group: Group, name: str) -> LrsDocument | None:
    """Return the document as it is now; nobody else changes it until this transaction ends."""
    begin_writing()
    if db.engine.dialect.name == "postgresql":  # a row that is not there yet cannot be locked
        lock = int(_key(group, name)[:16], 16) - (1 << 63)
        db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=lock))
    asked = select(LrsDocument).where(LrsDocument.key == _key(group, name))
    return db.session.scalar(asked.execution_options(populate_existing=True))


def of_person(keys: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a document is kept under one of these agents, or persons."""
    return or_(LrsDocument.agent.in_(keys), LrsDocument.person.in_(keys))


def _of(group: Group) -> list[ColumnElement[bool]]:
    conditions = [
        LrsDocument.agent == group.agent,
        LrsDocument.activity == group.activity,
        LrsDocument.kind == group.kind,
    ]
    if group.registration is not None:
        conditions.append(LrsDocument.registration == group.registration)
    return conditions


def _key(group: Group, name: str) -> str:
    parts = [group.kind, group.agent, group.activity, group.registration or "", name]
    return digest(orjson.dumps(parts).decode())


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == JSON


def _read_object(content: bytes, what: str) -> dict[str, Any]:
    value = read_json(content, what)
    if type(value) is not dict:
        raise Refused(f"{what} must be an object")
    check_numbers(value, what)
    return value
