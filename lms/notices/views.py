"""What a person was told, on a page of their own."""

from __future__ import annotations

from flask import Blueprint, render_template

from lms.db import writes
from lms.notices import services
from lms.notices.words import filled, people_in, subject_on_page
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.people.names import display_names

blueprint = Blueprint("notices", __name__, url_prefix="/notices", template_folder="templates")


@blueprint.get("")
@allow(Who.SIGNED_IN)
@writes
def news() -> str:
    """Show the person's newest notices; seen here, they are read."""
    person_id = current_person().id
    found = services.newest(person_id)
    kinds = services.kinds()
    names = display_names(people_in(found))
    lines = [
        {
            "subject": subject_on_page(kinds[notice.kind], filled(notice, names)),
            "at": notice.created_at,
            "path": notice.data.get("path") or notice.data.get("link"),
            "new": notice.read_at is None,
        }
        for notice in found
    ]
    services.mark_read(person_id)
    return render_template("notices/news.html", lines=lines)
