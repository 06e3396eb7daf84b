"""Building statements: tincan objects for what one person does, plain dicts for thousands.

tincan takes much that no LRS will: a score above 1, a negative duration, a moment without a time
zone. What is wrong is refused here, where the caller is still on the stack, as a ValueError.
"""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from flask import current_app
from tincan import (
    Activity,
    Agent,
    AgentAccount,
    Context,
    ContextActivities,
    Result,
    Score,
    Statement,
    Verb,
)

from lms.errors import ForMachines, Invalid
from xapi.text import CachedActivity, duration_text
from xapi.vocabulary import PROFILE, ROPES_VERSION, ROPES_VERSION_IRI, VOIDED, VerbTerm

# The account that speaks for nobody in particular; people's are opaque ids of 26 characters.
INSTALLATION = "ropes"
# Stands where somebody stood whose statements were removed.
REMOVED = "removed"


class CannotBeStated(Invalid, ValueError):
    """A value that no learning record store would take was about to go into a statement."""


def activity_iri(path: str) -> str:
    """Return the id of one of our activities: stable for a version of a thing, on our home page."""
    return _activity_iri(_home_page(), path)


def activity(
    path: str, type_iri: str, name: str, description: str | None = None, language: str = "en"
) -> Activity:
    """Return an activity of ours; the same object for the same values, so do not change it.

    path: like `courses/welcome/v1/lessons/ask`, without slashes at the ends.
    """
    return _activity(_home_page(), path, type_iri, name, description, language)


def our_profile() -> Activity:
    """Return what a statement names as its category that follows the xAPI profile of Ropes.

    For statements that one of its templates describes, and no others (xAPI Profiles, 5.0).
    """
    return _our_profile(current_app.config["LMS_BASE_URL"])


def statement(
    person_uid: str,
    verb: VerbTerm,
    activity: Activity,
    *,
    registration: str | None = None,
    score_scaled: float | None = None,
    success: bool | None = None,
    completion: bool | None = None,
    response: str | None = None,
    duration_seconds: float | None = None,
    parent: Activity | None = None,
    grouping: Sequence[Activity] = (),
    category: Sequence[Activity] = (),
    extensions: Mapping[str, Any] | None = None,
    result_extensions: Mapping[str, Any] | None = None,
    timestamp: dt.datetime | None = None,
) -> Statement:
    """Return a statement: this person, by opaque id, did this to that.

    score_scaled: -1 to 1. registration: the UUID of an enrolment or attempt. category: versions of
    the xAPI profiles that it follows. extensions: of the context, IRI to any JSON;
    result_extensions: of the result. timestamp: aware; left out, it is the moment of recording.
    Raises CannotBeStated where an LRS would refuse the value.
    """
    _check(score_scaled, duration_seconds, registration, timestamp)
    _check_extensions(extensions, result_extensions)
    # Every value passes through a property setter of tincan's: what is None is not passed at all.
    built = Statement(
        actor=Agent(account=AgentAccount(home_page=_home_page(), name=person_uid)),
        verb=_verb(verb),
        object=activity,
    )
    built.version = None  # "SHOULD NOT" be set by who sends it, and if so to 1.0.0 (Data 2.4.10)
    if timestamp is not None:
        built.timestamp = timestamp
    given = {
        "score": None if score_scaled is None else Score(scaled=float(score_scaled)),
        "success": success,
        "completion": completion,
        "response": response,
        "duration": None if duration_seconds is None else dt.timedelta(seconds=duration_seconds),
        "extensions": dict(result_extensions) if result_extensions else None,
    }
    result = {name: value for name, value in given.items() if value is not None}
    if result:
        built.result = Result(**result)
    related = {}
    if parent is not None:
        related["parent"] = [parent]
    if grouping:
        related["grouping"] = list(grouping)
    if category:
        related["category"] = list(category)
    about = {
        "registration": uuid.UUID(registration) if registration else None,
        "context_activities": ContextActivities(**related) if related else None,
        "extensions": dict(extensions) if extensions else None,
    }
    context = {name: value for name, value in about.items() if value is not None}
    if context:
        built.context = Context(**context)
    return built


def voiding(statement_id: str) -> dict[str, Any]:
    """Return the statement that voids another, as a plain dict; the actor is this installation."""
    return {
        "actor": {
            "objectType": "Agent",
            "account": {"homePage": _home_page(), "name": INSTALLATION},
        },
        "verb": _verb_plain(VOIDED),
        "object": {"objectType": "StatementRef", "id": statement_id},
        "context": {"contextActivities": {"category": [_plain_activity(our_profile())]}},
    }


def template(
    person_uid: str,
    verb: VerbTerm,
    activity: Activity,
    *,
    registration: str | None = None,
    score_scaled: float | None = None,
    success: bool | None = None,
    completion: bool | None = None,
    response: str | None = None,
    duration_seconds: float | None = None,
    parent: Activity | None = None,
    grouping: Sequence[Activity] = (),
    category: Sequence[Activity] = (),
    extensions: Mapping[str, Any] | None = None,
    result_extensions: Mapping[str, Any] | None = None,
    timestamp: dt.datetime | None = None,
) -> dict[str, Any]:
    """Return what `statement` returns, as a plain dict: for jobs that make thousands.

    Parts are shared between the dicts: read them, do not change them.
    """
    _check(score_scaled, duration_seconds, registration, timestamp)
    _check_extensions(extensions, result_extensions)
    built: dict[str, Any] = {
        "actor": {
            "objectType": "Agent",
            "account": {"homePage": _home_page(), "name": person_uid},
        },
        "verb": _verb_plain(verb),
        "object": _plain_activity(activity),
    }
    if timestamp is not None:
        built["timestamp"] = timestamp.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    given = {
        "score": None if score_scaled is None else {"scaled": float(score_scaled)},
        "success": success,
        "completion": completion,
        "response": response,
        "duration": None if duration_seconds is None else duration_text(duration_seconds),
        "extensions": dict(result_extensions) if result_extensions else None,
    }
    result = {name: value for name, value in given.items() if value is not None}
    if result:
        built["result"] = result
    related = {}
    if parent is not None:
        related["parent"] = [_plain_activity(parent)]
    if grouping:
        related["grouping"] = [_plain_activity(one) for one in grouping]
    if category:
        related["category"] = [_plain_activity(one) for one in category]
    about = {
        "registration": registration,
        "contextActivities": related or None,
        "extensions": dict(extensions) if extensions else None,
    }
    context = {name: value for name, value in about.items() if value is not None}
    if context:
        built["context"] = context
    return built


def _check(
    score_scaled: float | None,
    duration_seconds: float | None,
    registration: str | None,
    timestamp: dt.datetime | None,
) -> None:
    if score_scaled is not None and not -1 <= score_scaled <= 1:  # also refuses NaN
        raise CannotBeStated(
            ForMachines(f"A scaled score lies between -1 and 1, not at {score_scaled}.")
        )
    if duration_seconds is not None and not (
        duration_seconds >= 0 and math.isfinite(duration_seconds)
    ):
        raise CannotBeStated(ForMachines(f"A duration cannot be {duration_seconds} seconds."))
    if registration is not None and not _is_uuid(registration):
        raise CannotBeStated(ForMachines(f"A registration is a UUID, not “{registration}”."))
    if timestamp is not None and timestamp.tzinfo is None:
        raise CannotBeStated(ForMachines("A timestamp needs a time zone."))


def _check_extensions(*several: Mapping[str, Any] | None) -> None:
    for extensions in several:
        for key in extensions or ():
            if ":" not in key:
                raise CannotBeStated(ForMachines(f"An extension's key is an IRI, not “{key}”."))


@lru_cache(maxsize=4096)
def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except (ValueError, AttributeError):
        return False


def _home_page() -> str:
    address: str = current_app.config["LMS_HOME_PAGE"]
    return address


def _activity_iri(home_page: str, path: str) -> str:
    if not path or path.startswith("/") or path.endswith("/"):
        raise CannotBeStated(ForMachines(f"An activity's path has no slash at its ends: “{path}”."))
    return f"{home_page.rstrip('/')}/activities/{path}"


@lru_cache(maxsize=4096)
def _activity(
    home_page: str, path: str, type_iri: str, name: str, description: str | None, language: str
) -> CachedActivity:
    definition: dict[str, Any] = {"type": type_iri}
    if name:
        definition["name"] = {language: name}
    if description:
        definition["description"] = {language: description}
    return CachedActivity.make({"id": _activity_iri(home_page, path), "definition": definition})


@lru_cache(maxsize=64)
def _our_profile(base_url: str) -> CachedActivity:
    definition = {
        "type": PROFILE,
        "name": {"en": f"xAPI profile of Ropes, {ROPES_VERSION}"},
        # The id is nobody's address: this is where it can be read.
        "more_info": f"{base_url}/xapi/profile/{ROPES_VERSION}",
    }
    return CachedActivity.make({"id": ROPES_VERSION_IRI, "definition": definition})


@lru_cache(maxsize=256)
def _verb(term: VerbTerm) -> Verb:
    return Verb(id=term.iri, display={"en": term.label})


@lru_cache(maxsize=256)
def _verb_plain(term: VerbTerm) -> dict[str, Any]:
    return {"id": term.iri, "display": {"en": term.label}}


def _plain_activity(activity: Activity) -> dict[str, Any]:
    if isinstance(activity, CachedActivity):
        return activity.plain
    raise CannotBeStated(ForMachines("A template takes activities that xapi.build.activity made."))
