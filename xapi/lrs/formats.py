"""The formats statements are returned in: ids, exact, canonical (xAPI 1.0.3, Communication 2.1.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from sqlalchemy import select

from lms.db import db
from xapi.lrs.keys import digest, find_identifier
from xapi.lrs.models import LrsActivity
from xapi.lrs.terms import labels

_MAPS = ("name", "description")
_LISTS = ("choices", "scale", "source", "target", "steps")


def as_ids(text: str) -> str:
    """Return a statement with only what identifies its agents, verb and activities."""

    def agent(value: dict[str, Any]) -> dict[str, Any]:
        identifier = find_identifier(value)
        kind = {"objectType": value["objectType"]} if "objectType" in value else {}
        if identifier is not None:
            return {**kind, **identifier}
        return {**kind, "member": [agent(member) for member in value.get("member", ())]}

    def activity(value: dict[str, Any]) -> dict[str, Any]:
        return {"id": value["id"]}  # an object without an objectType is an activity

    def verb(value: dict[str, Any]) -> dict[str, Any]:
        return {"id": value["id"]}

    return _rewrite(text, agent, activity, verb)


def as_canonical(texts: list[str], languages: list[str]) -> list[str]:
    """Return statements with the LRS's own definitions and displays, in one language each.

    languages: what the reader wants, best first.
    """
    statements = [orjson.loads(text) for text in texts]
    activities: set[str] = set()
    verbs: set[str] = set()

    def note_activity(value: dict[str, Any]) -> dict[str, Any]:
        activities.add(value["id"])
        return value

    def note_verb(value: dict[str, Any]) -> dict[str, Any]:
        verbs.add(value["id"])
        return value

    for statement in statements:
        _walk(statement, lambda value: value, note_activity, note_verb)
    definitions = {
        row.iri: row.definition
        for row in db.session.execute(
            select(LrsActivity.iri, LrsActivity.definition).where(
                LrsActivity.key.in_(sorted({digest(iri) for iri in activities}))
            )
        )
    }
    displays = labels(verbs)

    def activity(value: dict[str, Any]) -> dict[str, Any]:
        definition = definitions.get(value["id"])
        if not definition:
            return value
        return {**value, "definition": in_one_language(definition, languages)}

    def verb(value: dict[str, Any]) -> dict[str, Any]:
        display = displays.get(value["id"])
        return {**value, "display": choose(display, languages)} if display else value

    return [
        orjson.dumps(_walk(statement, lambda value: value, activity, verb)).decode()
        for statement in statements
    ]


def in_one_language(definition: Mapping[str, Any], languages: list[str]) -> dict[str, Any]:
    """Return a definition with one language in each of its maps."""
    chosen = dict(definition)
    for name in _MAPS:
        if name in chosen:
            chosen[name] = choose(chosen[name], languages)
    for name in _LISTS:
        if name in chosen:
            chosen[name] = [
                {**one, "description": choose(one["description"], languages)}
                if "description" in one
                else one
                for one in chosen[name]
            ]
    return chosen


def choose(texts: Mapping[str, str], languages: list[str]) -> dict[str, str]:
    """Return the entry of a language map that fits best: exactly, by its main part, or any."""
    if len(texts) <= 1:
        return dict(texts)
    by_tag = {tag.lower(): tag for tag in texts}
    for wanted in languages:
        low = wanted.lower()
        if low in by_tag:
            tag = by_tag[low]
            return {tag: texts[tag]}
        main = low.partition("-")[0]
        for known, tag in by_tag.items():
            if known.partition("-")[0] == main:
                return {tag: texts[tag]}
    tag = next(iter(texts))
    for fallback in ("en", "en-us", "und"):
        tag = by_tag.get(fallback, tag)
    return {tag: texts[tag]}


_Change = Callable[[dict[str, Any]], dict[str, Any]]


def _rewrite(text: str, agent: _Change, activity: _Change, verb: _Change) -> str:
    return orjson.dumps(_walk(orjson.loads(text), agent, activity, verb)).decode()


def _walk(
    statement: dict[str, Any], agent: _Change, activity: _Change, verb: _Change
) -> dict[str, Any]:
    """Return the statement with every agent, activity and verb in it replaced."""
    changed = dict(statement)
    changed["actor"] = agent(statement["actor"])
    changed["verb"] = verb(statement["verb"])
    if "authority" in statement:
        changed["authority"] = agent(statement["authority"])
    target = statement["object"]
    kind = target.get("objectType", "Activity")
    if kind == "Activity":
        changed["object"] = activity(target)
    elif kind in ("Agent", "Group"):
        changed["object"] = agent(target)
    elif kind == "SubStatement":
        changed["object"] = _walk(target, agent, activity, verb)
    context = statement.get("context")
    if context:
        context = dict(context)
        for name in ("instructor", "team"):
            if name in context:
                context[name] = agent(context[name])
        if "contextActivities" in context:
            context["contextActivities"] = {
                name: [activity(one) for one in values]
                for name, values in context["contextActivities"].items()
            }
        for name, inner in (("contextAgents", "agent"), ("contextGroups", "group")):
            if name in context:
                context[name] = [{**one, inner: agent(one[inner])} for one in context[name]]
        changed["context"] = context
    return changed
