"""Settings: declared as data, read from the environment, checked at start-up.

The kernel's own are in `KERNEL_SETTINGS`; a plugin declares its own in `Plugin.settings`. Each
becomes `app.config[name]`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lms.addresses import parse_networks
from lms.errors import Misconfigured

KNOWN_BAD_SECRETS = frozenset({"", "secret", "changeme", "change-me", "dev", "development"})
SECRET_MIN_CHARS = 32

# What people may choose from, each in its own words; catalogues are in the parts' `translations`.
LANGUAGES = {
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "ar": "العربية",
}


def parse_bool(text: str) -> bool:
    """Read `1/true/yes/on` or `0/false/no/off`, in any case; ValueError otherwise."""
    lowered = text.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("write yes or no")


def parse_list(text: str) -> tuple[str, ...]:
    """Read a comma-separated list; blanks are dropped."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its environment name, how its text is read, its default, and what it is for.

    `parse` raises ValueError with a short reason when the text does not fit. `secret` keeps the
    value out of `ropes doctor` and of every page.
    """

    name: str
    default: Any
    help: str
    parse: Callable[[str], Any] = str
    secret: bool = False


KERNEL_SETTINGS: tuple[Setting, ...] = (
    Setting("LMS_SECRET_KEY", "", "Signs sessions and links; 32 characters or more.", secret=True),
    Setting(
        "LMS_DATABASE_URL",
        "",
        "SQLAlchemy address of the database; empty: SQLite in the instance folder.",
        secret=True,
    ),
    Setting("LMS_INSTANCE", "instance", "Folder for the database, files and the job queue.", Path),
    Setting("LMS_BASE_URL", "http://127.0.0.1:8000", "The address people open, without a slash."),
    Setting(
        "LMS_TRUSTED_PROXIES",
        0,
        "How many reverse proxies stand in front and say who asks (X-Forwarded-For, -Proto).",
        int,
    ),
    Setting(
        "LMS_HOME_PAGE",
        "",
        "IRI that names people in statements (account homePage); empty: LMS_BASE_URL.",
    ),
    Setting(
        "LMS_PRIVATE_NETWORKS",
        (),
        "Private networks where record stores and homeservers may be, as 10.1.0.0/16; "
        "empty: none, nor this machine.",
        parse_networks,
    ),
    Setting("LMS_COMPANY", "Your company", "The name on pages and certificates."),
    Setting(
        "LMS_PLUGINS",
        (),
        "Which plugins are on; empty: all that are installed; none: none.",
        parse_list,
    ),
    Setting("LMS_LANGUAGE", "en", "Language for people who have not chosen one."),
    Setting("LMS_TIME_ZONE", "UTC", "Time zone in which days are shown."),
    Setting("LMS_NETWORK_URL", "", "Address of the company's network, for links to it."),
    Setting("LMS_NETWORK_NAME", "the network", "What employees call the network."),
    Setting("LMS_MAIL_SERVER", "", "SMTP host; empty: mail waits in the outbox."),
    Setting("LMS_MAIL_PORT", 25, "SMTP port.", int),
    Setting("LMS_MAIL_USERNAME", "", "SMTP user."),
    Setting("LMS_MAIL_PASSWORD", "", "SMTP password.", secret=True),
    Setting("LMS_MAIL_TLS", False, "Use STARTTLS.", parse_bool),
    Setting("LMS_MAIL_SENDER", "ropes@localhost", "The sender's address."),
    Setting(
        "LMS_JOBS", "sqlite", "Where job wake-ups wait: sqlite | redis://... | manual (tests)."
    ),
    Setting(
        "LMS_SECURE_COOKIES", None, "Cookies over HTTPS only; default: by base URL.", parse_bool
    ),
)


def read_settings(
    declared: Iterable[Setting], environ: Mapping[str, str], overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """Return every declared setting: overrides first, then the environment, then the default.

    Raises Misconfigured, naming the variable, when a text cannot be read.
    """
    values: dict[str, Any] = {}
    for setting in declared:
        if setting.name in overrides:
            values[setting.name] = overrides[setting.name]
        elif setting.name in environ:
            try:
                values[setting.name] = setting.parse(environ[setting.name])
            except ValueError as error:
                raise Misconfigured(
                    f"{setting.name} cannot be read ({error}). What it is for: {setting.help}"
                ) from error
        else:
            values[setting.name] = setting.default
    return values


def check_secret(value: str) -> None:
    """Raise Misconfigured unless `value` can serve as a signing key."""
    if value.lower() in KNOWN_BAD_SECRETS:
        raise Misconfigured(
            "LMS_SECRET_KEY is not set. Make one with "
            "`python3 -c 'import secrets; print(secrets.token_urlsafe(48))'` and keep it safe."
        )
    if len(value) < SECRET_MIN_CHARS:
        raise Misconfigured(
            f"LMS_SECRET_KEY is too short: it needs {SECRET_MIN_CHARS} characters or more."
        )


def environment() -> Mapping[str, str]:
    """Return the process environment (the only reader of it outside the command line)."""
    return os.environ
