"""What the room `notices` adds to the kernel, in the words of a plugin."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask import url_for
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from lms import clock
from lms.db import db
from lms.events import Listener, PeopleChanged, PersonErased, SignInChanged
from lms.jobs.queue import Job
from lms.mail.trouble import forget_trouble, refused_people, server_trouble
from lms.notices import services, sign_in
from lms.notices.held import HELD
from lms.notices.mailing import check_mailing, mail_waiting
from lms.notices.models import Notice, NoticeStop
from lms.notices.views import blueprint, one_click
from lms.notices.words import filled, people_in, subject_on_page
from lms.people.models import Person
from lms.people.names import display_names
from lms.plugin import Check, HomeCard, NavItem, Plugin

ON_HOME = 2
TROUBLE_SHOWN = 5
TROUBLE_AFTER = dt.timedelta(minutes=5)


def forget(event: PersonErased) -> None:
    """Drop what an erased person was told: titles and dates could say who it was."""
    db.session.execute(delete(Notice).where(Notice.person_id == event.person_id))
    db.session.execute(delete(NoticeStop).where(NoticeStop.person_id == event.person_id))
    forget_trouble({event.person_id})


def note_changed(event: PeopleChanged) -> None:
    """Drop what is noted of addresses that may be others now; the next mail says whether they are."""
    forget_trouble(event.person_ids)


def load_trouble(person_id: int) -> Mapping[str, Any] | None:
    """Return for administrators what keeps mail from arriving; None where all is well."""
    person = db.session.get(Person, person_id)
    if person is None or not person.is_administrator:
        return None
    server, (count, ids) = server_trouble(), refused_people(TROUBLE_SHOWN)
    if server is not None and clock.now() - server.since < TROUBLE_AFTER:
        server = None  # it comes and goes
    if server is None and not count:
        return None
    names = display_names(ids)
    rows = db.session.execute(select(Person.id, Person.uid).where(Person.id.in_(ids)))
    people = [
        {"name": names.get(one.id, ""), "url": url_for("people_admin.person", person_uid=one.uid)}
        for one in rows
    ]
    return {"server": server, "count": count, "people": people}


def load_card(person_id: int) -> Mapping[str, Any] | None:
    """Return the newest unread notices for the first page."""
    found = services.newest(person_id, ON_HOME, unread=True)
    if not found:
        return None
    names = display_names(people_in(found))
    kinds = services.kinds()
    return {"subjects": [subject_on_page(kinds[one.kind], filled(one, names)) for one in found]}


part = Plugin(
    name="notices",
    label="notices",
    models=("lms.notices.models",),
    blueprints=(blueprint, one_click),
    csrf_exempt=(one_click,),
    navigation=(NavItem(_l("What’s new"), "notices.news", order=90),),
    home_cards=(
        HomeCard("mail", "notices/mail_trouble.html", load_trouble, order=5),
        HomeCard("notices", "notices/card.html", load_card, order=90),
    ),
    jobs=(Job(services.MAIL_JOB, mail_waiting, every_seconds=30),),
    listeners=(
        Listener(PersonErased, forget),
        Listener(PeopleChanged, note_changed),
        Listener(SignInChanged, sign_in.tell),
    ),
    notice_kinds=(*sign_in.KINDS.values(), sign_in.FORMER_ADDRESS),
    held=HELD,
    checks=(Check("notices", check_mailing),),
)
