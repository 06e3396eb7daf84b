"""What was recorded here, newest first, and one statement as it is sent."""

from __future__ import annotations

from flask import render_template, request

from lms.db import row_number
from lms.people.access import Who, allow
from lms.people.names import display_names
from xapi import recorded
from xapi.pages.blueprint import blueprint


@blueprint.get("/recorded")
@allow(Who.ADMINISTRATOR)
def statements() -> str:
    """Show what was recorded, newest first."""
    rows, after = recorded.page(request.args.get("before", type=row_number))
    return render_template(
        "xapi/statements.html",
        rows=rows,
        after=after,
        first="before" not in request.args,
        names=display_names({row.person_id for row in rows}),
    )


@blueprint.get("/recorded/<uuid:statement_id>")
@allow(Who.ADMINISTRATOR)
def statement(statement_id: object) -> str:
    """Show one statement as it is sent."""
    return render_template("xapi/statement.html", text=recorded.get_text(str(statement_id)))
