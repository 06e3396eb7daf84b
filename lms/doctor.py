"""`ropes doctor`: what is misconfigured, in words, and what to do about it.

Asks more than `/healthz`: what a machine cannot wait for (fonts, mail, disk) is asked here.
"""

from __future__ import annotations

import shutil
import smtplib
from collections.abc import Iterable
from pathlib import Path

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from lms import private
from lms.app import kept_folders
from lms.db import db
from lms.jobs.file import find_damaged
from lms.jobs.shared_folder import check_files
from lms.plugin import Check, Plugin
from lms.web.health import KERNEL_CHECKS

MAIL_TIMEOUT_SECONDS = 5
LEAST_FREE_BYTES = 500_000_000


def check_address() -> str | None:
    """Look at the address that people open."""
    base = str(current_app.config["LMS_BASE_URL"])
    if base.startswith("https://"):
        return None
    host = base.partition("://")[2].partition("/")[0].partition(":")[0]
    if not base.startswith("http://"):
        return f"LMS_BASE_URL is “{base}”, which is no address: write https://learn.example.com."
    if host in {"127.0.0.1", "localhost"}:
        return (
            f"LMS_BASE_URL is {base}: only this machine can open it, and links in mails lead "
            "nowhere. Set it to the address that people open, with https."
        )
    return (
        f"LMS_BASE_URL is {base}, without https: passkeys do not work, nothing works offline, and "
        "sessions can be read on the way."
    )


def check_company() -> str | None:
    """Ask for the name that pages bear."""
    if current_app.config["LMS_COMPANY"] == "Your company":
        return "LMS_COMPANY is not set: everything is signed “Your company”."
    return None


def check_mail() -> str | None:
    """Ask the mail server, where one is set, whether it takes our mail, without sending any."""
    config = current_app.config
    if not config["LMS_MAIL_SERVER"]:
        return None  # a check of `people` says what that means
    server, port = config["LMS_MAIL_SERVER"], config["LMS_MAIL_PORT"]
    try:
        with smtplib.SMTP(server, port, timeout=MAIL_TIMEOUT_SECONDS) as smtp:
            if config["LMS_MAIL_TLS"]:
                smtp.starttls()
            if config["LMS_MAIL_USERNAME"]:
                smtp.login(config["LMS_MAIL_USERNAME"], config["LMS_MAIL_PASSWORD"])
            smtp.noop()
    except smtplib.SMTPAuthenticationError:
        return f"The mail server {server} refuses LMS_MAIL_USERNAME or LMS_MAIL_PASSWORD."
    except (OSError, smtplib.SMTPException) as error:
        return f"The mail server {server}:{port} does not answer ({type(error).__name__})."
    return None


def check_disk() -> str | None:
    """Look at the room left where the database and files are."""
    folder = Path(current_app.config["LMS_INSTANCE"])
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        return f"Only {free / 1e6:.0f} MB are free in {folder}. Make room before it is full."
    return None


def check_jobs() -> str | None:
    """Look at where wake-ups wait."""
    if current_app.config["LMS_JOBS"] == "manual":
        return "LMS_JOBS is manual, which is for tests: nothing in the background is done."
    damaged = find_damaged(Path(current_app.config["LMS_INSTANCE"]))
    if damaged is not None:
        return (
            f"The file of wake-ups was damaged and is kept as {damaged}. Nothing is lost and all "
            "goes on with a new one; look at the disk, then delete it."
        )
    return None


def check_private() -> str | None:
    """Look for files that others on this machine may read."""
    instance = Path(current_app.config["LMS_INSTANCE"])
    url = db.engine.url
    database = url.database if url.get_backend_name() == "sqlite" else None
    found = private.find_open(instance, kept_folders(current_app), database)
    if not found:
        return None
    return (
        f"{len(found)} files and folders can be read by others on this machine, {found[0]} for "
        f"one. Make them private, as whoever owns them: chmod -R go= {instance}"
    )


def check_plugins() -> str | None:
    """Look for plugins at all."""
    if not current_app.extensions["lms.plugins"]:
        return "No plugin is on: there is nothing to do here. Look at LMS_PLUGINS."
    return None


DOCTOR_CHECKS = (
    Check("address", check_address),
    Check("company", check_company),
    Check("mail server", check_mail),
    Check("jobs", check_jobs),
    Check("files", check_files),
    Check("plugins", check_plugins),
    Check("disk", check_disk),
    Check("private files", check_private),
)


def examine() -> Iterable[tuple[str, str | None]]:
    """Yield (what, what is wrong or None) for every check of the kernel and of the plugins."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    yield "settings", None  # the application has started: they can be read, and the secret will do
    ready = True
    for check in (*KERNEL_CHECKS, *DOCTOR_CHECKS, *(one for part in parts for one in part.checks)):
        if check.name == "mail server" and not current_app.config["LMS_MAIL_SERVER"]:
            continue  # a check of `people` says what that means
        try:
            wrong = check.run()
        except SQLAlchemyError as error:
            db.session.rollback()
            if not ready:
                continue  # what is wrong with the database was said, and is mended first
            wrong = f"It could not be checked: {type(error).__name__}."
        ready = ready and (check not in KERNEL_CHECKS or wrong is None)
        yield check.name, wrong
