"""What the room `people` adds to the kernel, in the words of a plugin."""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l

from lms.config import Setting
from lms.mail.trouble import check_mail, check_trouble
from lms.people import codes, erasing
from lms.people.commands import commands
from lms.people.gate import enforce
from lms.people.held import HELD
from lms.people.security import init_security, load_person
from lms.people.views import admin, files, links, me, passkeys
from lms.plugin import Audience, Check, NavItem, Plugin


def start(app: Flask) -> None:
    """Load the person of each request, and guard every view."""
    app.before_request(
        load_person
    )  # before Flask-Principal, which looks at every request who it is
    init_security(app)
    app.before_request(enforce)


part = Plugin(
    name="people",
    label="people",
    models=("lms.people.models",),
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
    ),
    commands=(commands,),
    jobs=(codes.job, erasing.job),
    held=HELD,
    checks=(Check("mail", check_mail), Check("mail refused", check_trouble)),
    on_start=start,
)
