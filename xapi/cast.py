"""Who and what a page of statements names: people, other agents, activities, in a few queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from lms.db import db
from lms.people.models import Identity, Person
from lms.people.names import removed_name
from xapi.build import INSTALLATION, REMOVED
from xapi.lrs.keys import digest, find_agent_key
from xapi.lrs.models import LrsActivity, LrsCredential
from xapi.shown import IDENTIFIER_MOST, shown

MEMBERS_SHOWN = 3
OUR_PROVIDER = "lrs/"  # what comes before a credential's uid, see xapi.lrs.credentials


@dataclass(frozen=True, slots=True)
class Named:
    """An agent in words. identifier: where it is none of ours, what it is really known by.

    A name is what somebody wrote; beside a stranger's the identifier stands, so that nobody who
    calls himself like a colleague is taken for one. uid and key lead to the agent's statements.
    """

    name: str
    identifier: str = ""
    uid: str | None = None
    key: str | None = None


@dataclass(slots=True)
class Cast:
    """Names for the agents and activities of some statements; see `cast_of`."""

    home: str
    people: dict[str, str] = field(default_factory=dict)
    providers: dict[str, str] = field(default_factory=dict)
    activities: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def name(self, agent: Mapping[str, Any]) -> Named:
        """Return an agent or group in words."""
        ours = self._ours(agent)
        if ours is not None:
            return ours
        key = find_agent_key(dict(agent))
        if key is None:
            return Named(self._members(agent))
        identifier = shown(identifier_text(agent), IDENTIFIER_MOST)
        name = shown(str(agent.get("name") or ""))
        return Named(name or identifier, identifier if name else "", key=key)

    def definition(self, activity: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what is known of an activity: what the statement says, else what others said."""
        said = activity.get("definition")
        if isinstance(said, Mapping) and said.get("name"):
            return said
        return self.activities.get(activity["id"], {})

    def _ours(self, agent: Mapping[str, Any]) -> Named | None:
        account = agent.get("account")
        if not account or account["homePage"] != self.home:
            return None
        name = account["name"]
        if name in self.people:
            return Named(shown(self.people[name]), uid=name)
        if name == INSTALLATION or name == f"{OUR_PROVIDER}{INSTALLATION}":
            return Named("Ropes")
        if name == REMOVED:
            return Named(removed_name())
        if name.removeprefix(OUR_PROVIDER) in self.providers:
            return Named(shown(self.providers[name.removeprefix(OUR_PROVIDER)]))
        return None

    def _members(self, group: Mapping[str, Any]) -> str:
        members = group.get("member", ())
        names = ", ".join(self.name(one).name for one in members[:MEMBERS_SHOWN])
        said = shown(str(group.get("name") or ""))
        left = len(members) - MEMBERS_SHOWN
        if left > 0:
            more = ngettext("%(num)s more", "%(num)s more", left)
            names = f"{names}, {more}"
        if said:
            return f"{said} ({names})" if names else said
        return str(_("a group: %(names)s", names=names)) if names else str(_("a group"))


def cast_of(statements: Sequence[Mapping[str, Any]]) -> Cast:
    """Return names for all that these statements name, in three queries at most."""
    cast = Cast(current_app.config["LMS_HOME_PAGE"])
    uids, unnamed = set(), set()
    for statement in statements:
        for agent in agents_of(statement):
            account = agent.get("account")
            if account and account["homePage"] == cast.home:
                uids.add(account["name"])
        for activity in _activities_of(statement):
            if not (activity.get("definition") or {}).get("name"):
                unnamed.add(activity["id"])
    providers = {uid.removeprefix(OUR_PROVIDER) for uid in uids if uid.startswith(OUR_PROVIDER)}
    people = {uid for uid in uids if not uid.startswith(OUR_PROVIDER)}
    if people:
        removed = removed_name()
        rows = db.session.execute(
            select(Person.uid, Identity.display_name)
            .outerjoin(Identity, Identity.person_id == Person.id)
            .where(Person.uid.in_(sorted(people)))
        )
        cast.people = {uid: name or removed for uid, name in rows}
    if providers:
        found = select(LrsCredential.uid, LrsCredential.name).where(
            LrsCredential.uid.in_(sorted(providers))
        )
        cast.providers = {row.uid: row.name for row in db.session.execute(found)}
    if unnamed:
        known = select(LrsActivity.iri, LrsActivity.definition).where(
            LrsActivity.key.in_(sorted(digest(iri) for iri in unnamed))
        )
        cast.activities = {row.iri: row.definition or {} for row in db.session.execute(known)}
    return cast


def identifier_text(agent: Mapping[str, Any]) -> str:
    """Return what an agent is known by, as people read it."""
    if "account" in agent:
        account = agent["account"]
        return f"{account['name']} · {account['homePage']}"
    if "mbox" in agent:
        return str(agent["mbox"]).removeprefix("mailto:")
    for name in ("openid", "mbox_sha1sum"):
        if name in agent:
            return str(agent[name])
    return ""


def agents_of(statement: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the agents that a sentence about the statement may name, and its authority."""
    target = statement["object"]
    holders = [statement["actor"], statement.get("authority")]
    kind = target.get("objectType", "Activity")
    if kind in ("Agent", "Group"):
        holders.append(target)
    for holder in holders:
        if holder:
            yield holder
            yield from holder.get("member", ())
    if kind == "SubStatement":
        yield from agents_of(target)


def place_of(statement: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the activity inside which something was done: the widest that the context names."""
    around = (statement.get("context") or {}).get("contextActivities") or {}
    for name in ("grouping", "parent"):
        given = around.get(name)
        if given:
            found: Mapping[str, Any] = given[0] if isinstance(given, list) else given
            return found
    return None


def _activities_of(statement: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    target = statement["object"]
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        yield target
    elif kind == "SubStatement":
        yield from _activities_of(target)
    place = place_of(statement)
    if place is not None:
        yield place
