"""What the room `people` adds to the kernel, in the words of a plugin."""

from __future__ import annotations

from flask import Flask, g, session
from sqlalchemy import select

from lms.db import db
from lms.people.gate import enforce
from lms.people.models import Identity
from lms.plugin import Plugin


def _load_person() -> None:
    g.lms_person = None
    key = session.get("_user_id")
    if key is not None:
        identity = db.session.scalar(select(Identity).where(Identity.fs_uniquifier == key))
        if identity is not None and identity.person.active:
            g.lms_person = identity.person


def start(app: Flask) -> None:
    """Load the person of each request, and guard every view."""
    app.before_request(_load_person)
    app.before_request(enforce)


part = Plugin(name="people", label="people", models=("lms.people.models",), on_start=start)
