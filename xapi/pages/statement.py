"""One statement: its sentence, all it says, what was said about it, and itself, word for word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Response, render_template
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from lms.days import moment
from lms.errors import NotFound
from lms.people.access import Who, allow
from xapi import recorded
from xapi.cast import Cast
from xapi.lrs import attached, browse
from xapi.lrs.browse import Row
from xapi.lrs.multipart import attachments_of
from xapi.lrs.types import find_moment
from xapi.pages.blueprint import blueprint
from xapi.pages.browser import make_teller, store_is_on
from xapi.sentences import Teller, activity_label, reader_language
from xapi.shown import IDENTIFIER_MOST, pick, shown, shown_json
from xapi.targets import labels
from xapi.vocabulary import VOIDED

TEXT_MOST = 200_000  # characters of JSON on the page; the file has all of it
MEMBERS_MOST = 50
# How a file is named; what it is said to be stays a word on the page, browsers are told "bytes".
_ENDINGS = {
    "application/pdf": "pdf", "application/json": "json", "application/zip": "zip",
    "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "text/plain": "txt",
    "text/csv": "csv", "audio/mpeg": "mp3", "video/mp4": "mp4",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attachment in words; `here`: its bytes can be downloaded."""

    name: str
    about: str
    media_type: str
    size: int
    elsewhere: str
    here: bool


@blueprint.get("/browser/<uuid:statement_id>")
@allow(Who.ADMINISTRATOR)
def statement(statement_id: object) -> str:
    """Show one statement."""
    row = _get_row(str(statement_id))
    told = orjson.loads(row.text)
    told.setdefault("id", row.statement_id)
    about = browse.find_referring(row.statement_id) if store_is_on() else []
    said = [orjson.loads(one.text) for one in about]
    teller = make_teller([told, *said])
    text = shown_json(told)
    here, waiting, refused = recorded.delivery_of(row.statement_id)
    known = labels()
    return render_template(
        "xapi/statement.html",
        row=row,
        sentence=teller.tell(told, links=False),
        results=teller.results(told),
        facts=_facts(told, row, teller.cast),
        members=_members(told["actor"], teller.cast),
        target=_target(told),
        about=_about(said, about, teller),
        attachments=_attachments(told),
        text=text[:TEXT_MOST],
        cut=len(text) > TEXT_MOST,
        recorded_here=here,
        waiting=[known.get(name, name) for name in waiting],
        refused=[(known.get(name, name), words) for name, words in refused],
    )


@blueprint.get("/browser/<uuid:statement_id>/json")
@allow(Who.ADMINISTRATOR)
def statement_json(statement_id: object) -> Response:
    """One statement as a file, as it is kept."""
    row = _get_row(str(statement_id))
    return _file(row.text.encode(), f"statement-{row.statement_id}.json")


@blueprint.get("/browser/<uuid:statement_id>/attachments/<int:number>")
@allow(Who.ADMINISTRATOR)
def attachment(statement_id: object, number: int) -> Response:
    """An attachment of a statement as a file, whatever it says it is; the first is number 1."""
    row = _get_row(str(statement_id))
    told = list(attachments_of(orjson.loads(row.text)))
    if not 1 <= number <= len(told):
        raise NotFound("The statement has no such attachment.")
    content = attached.content_of(row.statement_id, told[number - 1]["sha2"])
    if content is None:
        raise NotFound("What was attached was never sent here; the statement says where it is.")
    ending = _ENDINGS.get(told[number - 1]["contentType"].partition(";")[0].strip().lower(), "bin")
    return _file(content, f"attachment-{number}.{ending}")


def _get_row(statement_id: str) -> Row:
    found = browse.find_row(statement_id) if store_is_on() else None
    found = found or recorded.find_row(statement_id)
    if found is None:
        raise NotFound("No such statement is kept here.")
    return found


def _file(content: bytes, name: str) -> Response:
    """Return bytes that a browser saves, and never shows or runs: others wrote them."""
    response = Response(content, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _facts(told: Mapping[str, Any], row: Row, cast: Cast) -> list[tuple[str, str]]:
    """Return what the statement says in names and values, the least of it, in this order."""
    context, result = told.get("context") or {}, told.get("result") or {}
    done = find_moment(told.get("timestamp") or "")
    target = told["object"]
    facts = [
        (_("When"), moment(done) if done else ""),
        (_("Stored") if store_is_on() else _("Recorded"), moment(row.stored)),
        (_("Actor"), _called(told["actor"], cast)),
        (_("Verb"), told["verb"]["id"]),
        (_("About"), str(target.get("id") or "")),
        (_("Described as"), _description(target, cast)),
        (_("Answer"), str(result.get("response") or "")),
        (_("Part of"), _around(context, cast)),
        (_("Registration"), str(context.get("registration") or "")),
        (_("Platform"), str(context.get("platform") or "")),
        (_("Vouched for by"), _called(told["authority"], cast) if "authority" in told else ""),
        (_("Version"), str(told.get("version") or "")),
    ]
    return [(label, shown(value, IDENTIFIER_MOST)) for label, value in facts if value]


def _called(agent: Mapping[str, Any], cast: Cast) -> str:
    named = cast.name(agent)
    return f"{named.name} ({named.identifier})" if named.identifier else named.name


def _description(target: Mapping[str, Any], cast: Cast) -> str:
    if target.get("objectType", "Activity") != "Activity":
        return ""
    return pick(cast.definition(target).get("description"), reader_language())[0]


def _around(context: Mapping[str, Any], cast: Cast) -> str:
    around = (context.get("contextActivities") or {}).values()
    every = [one for group in around for one in (group if isinstance(group, list) else [group])]
    return " · ".join(activity_label(one["id"], cast.definition(one)) for one in every[:5])


def _members(group: Mapping[str, Any], cast: Cast) -> list[str]:
    members = group.get("member") or ()
    called = [shown(_called(one, cast), IDENTIFIER_MOST) for one in members[:MEMBERS_MOST]]
    left = len(members) - MEMBERS_MOST
    if left > 0:
        called.append(ngettext("%(num)s more", "%(num)s more", left))
    return called


def _target(told: Mapping[str, Any]) -> str:
    """Return the id of the statement that this one is about, where that is stored."""
    target = told["object"]
    if target.get("objectType") != "StatementRef" or not store_is_on():
        return ""
    found = browse.find_row(str(target["id"]))
    return "" if found is None else found.statement_id


def _about(said: list[dict[str, Any]], rows: Any, teller: Teller) -> list[tuple[Markup, str, bool]]:
    """Return what was said about the statement: sentence, when, and whether it voids it."""
    return [
        (teller.tell(one), moment(row.stored), one["verb"]["id"] == VOIDED.iri)
        for one, row in zip(said, rows, strict=True)
    ]


def _attachments(told: Mapping[str, Any]) -> list[Attachment]:
    every = list(attachments_of(told))
    here = attached.hashes_of(told["id"]) if every else frozenset()
    language = reader_language()
    return [
        Attachment(
            name=shown(pick(one.get("display"), language)[0]) or str(_("Attachment")),
            about=shown(pick(one.get("description"), language)[0], IDENTIFIER_MOST),
            media_type=shown(one["contentType"]),
            size=one["length"],
            elsewhere=shown(one.get("fileUrl") or "", IDENTIFIER_MOST),
            here=one["sha2"].lower() in here,
        )
        for one in every
    ]
