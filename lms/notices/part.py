"""What the room `notices` adds to the kernel, in the words of a plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete

from lms.db import db
from lms.events import Listener, PersonErased
from lms.jobs.queue import Job
from lms.notices import services
from lms.notices.mailing import check_mailing, mail_waiting
from lms.notices.models import Notice
from lms.notices.views import blueprint
from lms.notices.words import filled, people_in, subject_on_page
from lms.people.names import display_names
from lms.plugin import Check, HomeCard, NavItem, Plugin

ON_HOME = 2


def forget(event: PersonErased) -> None:
    """Drop what an erased person was told: titles and dates could say who it was."""
    db.session.execute(delete(Notice).where(Notice.person_id == event.person_id))


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
    blueprints=(blueprint,),
    navigation=(NavItem(_l("What’s new"), "notices.news", order=90),),
    home_cards=(HomeCard("notices", "notices/card.html", load_card, order=90),),
    jobs=(Job(services.MAIL_JOB, mail_waiting, every_seconds=30),),
    listeners=(Listener(PersonErased, forget),),
    checks=(Check("notices", check_mailing),),
)
