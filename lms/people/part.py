"""What the room `people` adds to the kernel, in the words of a plugin."""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l

from lms.config import Setting
from lms.people import codes, erasing, sign_in_log, still
from lms.people.acts import ACTS, SUBJECTS
from lms.people.commands import commands
from lms.people.gate import enforce
from lms.people.held import HELD
from lms.people.mail import check_mail, init_mail
from lms.people.security import init_security, load_person
from lms.people.views import admin, files, links, me, passkeys
from lms.plugin import Audience, Check, NavItem, Plugin


def start(app: Flask) -> None:
    """Load the person of each request, and guard every view."""
    init_mail(app)
    init_security(app)
    app.before_request(load_person)
    app.before_request(enforce)
    still.init_app(app)


part = Plugin(
    name="people",
    label="people",
    models=("lms.people.models", "lms.people.search"),
    blueprints=(
        me.blueprint,  # with the pages of sign-in
        passkeys.blueprint,
        admin.blueprint,
        links.blueprint,
        files.blueprint,
    ),
    navigation=(NavItem(_l("People"), "people_admin.everybody", Audience.ADMINISTRATOR, order=80),),
    settings=(
        Setting(
            "LMS_SESSION_DAYS", 30, "Days without a visit after which people sign in again.", int
        ),
        Setting(
            "LMS_SIGN_IN_AUDIT_DAYS",
            90,
            "Days after which the audit log forgets who signed in, failed or signed out; 0 keeps it.",
            int,
        ),
    ),
    commands=(commands,),
    jobs=(codes.job, erasing.job, sign_in_log.job),
    held=HELD,
    acts=ACTS,
    subjects=SUBJECTS,
    checks=(Check("mail", check_mail),),
    on_start=start,
)
