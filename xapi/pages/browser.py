"""The statements themselves: found by person, verb, activity and time, and said in sentences.

Looking for a person is written to the audit log. People are chosen by name, and named in addresses
by opaque ids; a name that is typed travels in a form's body, never in an address.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select

from lms import audit, clock
from lms.audit import AuditEntry
from lms.days import local_day, near, time, with_weekday
from lms.db import db, writes
from lms.errors import ForMachines, Invalid
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.people.names import names
from lms.people.services import get_person
from xapi import recorded
from xapi.cast import Named, cast_of
from xapi.lrs import browse
from xapi.lrs.browse import Found, Row
from xapi.lrs.keys import find_agent_key
from xapi.lrs.multipart import attachments_of
from xapi.lrs.types import find_moment
from xapi.outbox.models import Pending
from xapi.pages.blueprint import blueprint
from xapi.pages.browser_form import BrowseForm, Filters
from xapi.pages.choices import Choices, find_choices
from xapi.sentences import Teller, activity_label, verb_label

SEARCHED = "xapi.statements.searched"
SAME_SEARCH = dt.timedelta(hours=1)  # in which turning a page is no search of its own
WAITING_MOST = 1000


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose statements are looked at: a person of ours, or an agent that a statement named."""

    name: Named
    subject: str  # of the audit line
    key: str  # of the agent
    person_id: int | None = None

    @property
    def token(self) -> str:
        """What the form keeps of it."""
        return f"person:{self.name.uid}" if self.name.uid else f"agent:{self.key}"


@dataclass(frozen=True, slots=True)
class Line:
    """A statement on the page."""

    sentence: Markup
    when: str
    statement_id: str
    results: list[str]
    attachments: int
    voided: bool


@blueprint.get("/browser")
@allow(Who.ADMINISTRATOR)
def statements() -> str:
    """Show what was stored, newest first, by whomever."""
    return _page(None, Filters.read(request.args))


@blueprint.get("/browser/person/<person_uid>")
@writes  # looking at a person's statements is written down
@allow(Who.ADMINISTRATOR)
def statements_of_person(person_uid: str) -> str:
    """Show the statements of one person of this installation."""
    return _searched(_person(person_uid))


@blueprint.get("/browser/agent/<agent_key>")
@writes
@allow(Who.ADMINISTRATOR)
def statements_of_agent(agent_key: str) -> str:
    """Show the statements of an agent that other systems named."""
    return _searched(_agent(agent_key))


@blueprint.post("/browser/find")
@allow(Who.ADMINISTRATOR)
def find_statements() -> Any:
    """Turn what was typed into an address; ask where a name fits several."""
    form = BrowseForm()
    whose, filters = None, Filters()
    try:
        if not form.validate():
            raise Invalid(ForMachines(""))
        filters = form.filters()
        whose = _chosen(form.whom.data or "")
        choices = find_choices(form.who.data or "", form.thing.data or "", store_is_on())
    except (Invalid, ValueError) as error:
        if isinstance(error, Invalid) and error.message:
            form.blame(error)
        return _page(whose, filters, form), 422
    if choices.open:
        return render_template("xapi/choose.html", form=form, choices=choices, filters=filters)
    return redirect(_address_of(choices, whose, filters))


def store_is_on() -> bool:
    """Whether there is a store to read; else what was recorded here is shown."""
    return bool(current_app.config["LMS_LRS_EMBEDDED"])


def address(whose: Whose | None, filters: Filters) -> str:
    """Return the address of a search: it can be kept, and given to another administrator."""
    query = filters.query()
    if whose is None:
        return url_for("xapi.statements", **query)
    if whose.name.uid:
        return url_for("xapi.statements_of_person", person_uid=whose.name.uid, **query)
    return url_for("xapi.statements_of_agent", agent_key=whose.key, **query)


def _address_of(choices: Choices, whose: Whose | None, filters: Filters) -> str:
    if choices.whom:
        whose = _chosen(choices.whom)
    if choices.what:
        filters = Filters(**{**_fields(filters), "activity": choices.what})
    return address(whose, filters)


def _fields(filters: Filters) -> dict[str, Any]:
    return {name: getattr(filters, name) for name in Filters.__slots__}


def _chosen(token: str) -> Whose | None:
    kind, _colon, name = token.partition(":")
    if not name:
        return None
    return _person(name) if kind == "person" else _agent(name)


def _person(person_uid: str) -> Whose:
    person = get_person(person_uid)
    home = current_app.config["LMS_HOME_PAGE"]
    key = find_agent_key({"account": {"homePage": home, "name": person.uid}})
    named = Named(names([person.id])[person.id].display, uid=person.uid)
    return Whose(named, f"person/{person.uid}", key or "", person.id)


def _agent(key: str) -> Whose:
    agent = browse.get_agent(key)
    return Whose(cast_of([]).name(agent), f"agent/{key}", key)


def _searched(whose: Whose) -> str:
    """Show a page of somebody's statements, and write down that it was looked at.

    A search is a line. Turning its pages is none, unless there was no search: an address with a
    cursor in it is no way around the log.
    """
    filters, actor = Filters.read(request.args), current_person()
    moment = clock.now()
    lately = select(AuditEntry.id).where(
        AuditEntry.at.between(moment - SAME_SEARCH, moment),
        AuditEntry.actor_id == actor.id,
        AuditEntry.act == SEARCHED,
        AuditEntry.subject == whose.subject,
    )
    is_new = not filters.turned or db.session.scalar(lately.limit(1)) is None
    page = _page(whose, filters)
    if is_new:  # after the page, so that nobody waits for it
        audit.note(SEARCHED, whose.subject, actor.id)
    return page


def _page(whose: Whose | None, filters: Filters, form: BrowseForm | None = None) -> str:
    store = store_is_on()
    found = _find(whose, filters) if form is None else Found([], None, None)
    verbs = browse.list_verbs(filters.verb) if store else []
    labels = {one.key: verb_label(one.iri, one.said) for one in verbs}
    thing = None
    if filters.activity is not None:
        term = browse.get_activity(filters.activity)
        thing = activity_label(term.iri, term.said)
    if form is None:
        form = BrowseForm(formdata=None, data=_fields(filters))
        form.whom.data = whose.token if whose else ""
        form.what.data = filters.activity or ""
    form.verb.choices = [
        ("", _("anything")),
        *sorted(labels.items(), key=lambda one: one[1].lower()),
    ]
    return render_template(
        "xapi/browser.html",
        form=form,
        whose=whose,
        filters=filters,
        thing=thing,
        days=_by_day(found.rows),
        found=found,
        address=address,
        store=store,
        waiting=_waiting() if store else 0,
    )


def _find(whose: Whose | None, filters: Filters) -> Found:
    if store_is_on():
        return browse.find(filters.sought(whose.key if whose else None))
    since, until = filters.moments()
    person_id = whose.person_id if whose else None
    return recorded.find(person_id, since, until, filters.before, filters.after)


def _waiting() -> int:
    """Return how many statements are still on their way into the store, counted to a thousand."""
    some = select(Pending.outbox_id).where(Pending.target == "embedded").limit(WAITING_MOST)
    return len(db.session.scalars(some).all())


def _by_day(rows: Sequence[Row]) -> list[tuple[str, list[Line]]]:
    """Return the page's lines under the days on which they were stored."""
    told = [(row, orjson.loads(row.text)) for row in rows]
    teller = make_teller([statement for _row, statement in told])
    days = []
    for day, group in itertools.groupby(told, key=lambda one: local_day(one[0].stored)):
        lines = [_line(row, statement, teller) for row, statement in group]
        label = with_weekday(day) if day.year == local_day(clock.now()).year else near(day)
        days.append((label, lines))
    return days


def _line(row: Row, statement: dict[str, Any], teller: Teller) -> Line:
    statement.setdefault("id", row.statement_id)
    done = find_moment(statement.get("timestamp") or "") or row.stored
    same_day = local_day(done) == local_day(row.stored)
    return Line(
        sentence=teller.tell(statement),
        when=time(done) if same_day else f"{near(done)}, {time(done)}",
        statement_id=row.statement_id,
        results=teller.results(statement),
        attachments=sum(1 for _one in attachments_of(statement)),
        voided=row.voided,
    )


def make_teller(told: Sequence[dict[str, Any]]) -> Teller:
    """Return what says these statements, with the names of all that they and their targets name."""
    referred = [
        str(one["object"]["id"]).lower()
        for one in told
        if one["object"].get("objectType") == "StatementRef"
    ]
    texts = browse.find_texts(referred) if store_is_on() else {}
    targets = {key: orjson.loads(text) for key, text in texts.items()}
    return Teller(cast_of([*told, *targets.values()]), targets)
