"""What an administrator looks for among the statements: typed into a form, kept in an address."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, HiddenField, SearchField, SelectField
from wtforms.validators import Length, Optional

from lms.days import midnight
from lms.db import row_number
from lms.errors import Invalid
from lms.forms import Form
from xapi.lrs.browse import Sought

_KEY = re.compile(r"[0-9a-f]{32}")
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Filters:
    """What an address narrows to, person and agent aside: keys, days as the reader counts them."""

    verb: str | None = None
    activity: str | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    voided: bool = False
    before: int | None = None
    after: int | None = None

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Filters:
        """Return the filters of an address; raises Invalid for what none of ours has."""
        try:
            return cls(
                verb=_key(args.get("verb")),
                activity=_key(args.get("activity")),
                since=_day(args.get("since")),
                until=_day(args.get("until")),
                voided=args.get("voided") == "yes",
                before=row_number(args["before"]) if "before" in args else None,
                after=row_number(args["after"]) if "after" in args else None,
            )
        except (ValueError, OverflowError) as error:
            raise Invalid("This address says something that cannot be looked for.") from error

    @property
    def any(self) -> bool:
        """Whether anything is narrowed."""
        return bool(self.verb or self.activity or self.since or self.until)

    @property
    def turned(self) -> bool:
        """Whether this is a further page of a search."""
        return self.before is not None or self.after is not None

    def without(self, *names: str) -> Filters:
        """Return the filters without some, from the newest page on."""
        nothing: dict[str, Any] = dict.fromkeys(names)
        return replace(self, before=None, after=None, **nothing)

    def at(self, before: int | None = None, after: int | None = None) -> Filters:
        """Return the same filters on another page."""
        return replace(self, before=before, after=after)

    def query(self) -> dict[str, Any]:
        """Return them as the address says them."""
        said = {
            "verb": self.verb,
            "activity": self.activity,
            "since": self.since,
            "until": self.until,
            "voided": "yes" if self.voided else None,
            "before": self.before,
            "after": self.after,
        }
        return {name: str(value) for name, value in said.items() if value is not None}

    def moments(self) -> tuple[dt.datetime | None, dt.datetime | None]:
        """Return from when on, and before when."""
        since = None if self.since is None else midnight(self.since)
        return since, None if self.until is None else midnight(self.until + _DAY)

    def sought(self, agent: str | None) -> Sought:
        """Return what the store is asked for."""
        since, until = self.moments()
        return Sought(
            agent, self.verb, self.activity, since, until, self.voided, self.before, self.after
        )


class BrowseForm(Form):
    """The search; `whom` and `what` hold the person and activity that were chosen before."""

    who = SearchField(
        _l("Person"), [Length(max=200)], description=_l("Name, address or number."),
        render_kw={"autocomplete": "off"},
    )  # fmt: skip
    verb = SelectField(_l("Did what"), validate_choice=False)
    thing = SearchField(
        _l("What it was about"), [Length(max=2000)], description=_l("A part of its name, or its IRI."),
        render_kw={"autocomplete": "off"},
    )  # fmt: skip
    since = DateField(_l("From"), [Optional()])
    until = DateField(_l("To"), [Optional()])
    voided = BooleanField(_l("Show voided ones too"))
    whom = HiddenField()
    what = HiddenField()

    def filters(self) -> Filters:
        """Return what was filled in, what still has to be found by name left out."""
        for field in (self.since, self.until):
            if field.data is not None and not 1970 <= field.data.year <= 9000:
                field.errors = [_("Write the day as year, month and day, like 2026-11-30.")]
                raise Invalid(field.errors[0], field.name)
        return Filters(
            verb=_key(self.verb.data or None),
            activity=_key(self.what.data or None),
            since=self.since.data,
            until=self.until.data,
            voided=bool(self.voided.data),
        )


def _key(value: str | None) -> str | None:
    if value is not None and not _KEY.fullmatch(value):
        raise ValueError("not a key of ours")
    return value


def _day(value: str | None) -> dt.date | None:
    found = None if value is None else dt.date.fromisoformat(value)
    if found is not None and not 1970 <= found.year <= 9000:
        raise ValueError("a day that no calendar here has")
    return found
