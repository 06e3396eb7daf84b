"""Holding a statement against statement templates (xAPI Profiles, part three, 2.1). Pure.

Templates and statements are plain dicts, as JSON has them; context activities stand in arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xapi.profile.jsonpath import find

Json = Mapping[str, Any]
# Returns a statement by its id, None where it is not known.
FindStatement = Callable[[str], Json | None]

# Determining properties that are lists, and where a statement has what must be among them.
_LISTED = {
    "contextGroupingActivityType": "$.context.contextActivities.grouping[*].definition.type",
    "contextParentActivityType": "$.context.contextActivities.parent[*].definition.type",
    "contextOtherActivityType": "$.context.contextActivities.other[*].definition.type",
    "contextCategoryActivityType": "$.context.contextActivities.category[*].definition.type",
    "attachmentUsageType": "$.attachments[*].usageType",
}
_SINGLE = {"verb": "$.verb.id", "objectActivityType": "$.object.definition.type"}
_REFERENCES = {
    "objectStatementRefTemplate": "$.object",
    "contextStatementRefTemplate": "$.context.statement",
}
_NOTHING = object()  # where a selector found nothing: the specification's unmatchable value


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of it: ids of templates that are met; and of broken ones, with what is broken.

    `broken` are templates whose determining properties the statement has, and whose rules it
    does not follow.
    """

    met: tuple[str, ...]
    broken: Mapping[str, Sequence[str]]

    @property
    def fits(self) -> bool:
        """Whether it is one of the profile's statements: it meets a template and breaks none."""
        return bool(self.met) and not self.broken

    def reason(self) -> str:
        """Return in words why it does not fit."""
        if not self.met and not self.broken:
            return "no template has this verb with an object and a context of these types"
        return "; ".join(
            f"{template}: {what}" for template, all_of in self.broken.items() for what in all_of
        )


def judge(
    statement: Json, templates: Iterable[Json], find_statement: FindStatement = lambda _id: None
) -> Judgement:
    """Hold a statement against templates; `find_statement` gives what it refers to."""
    templates = list(templates)
    met: list[str] = []
    broken: dict[str, Sequence[str]] = {}
    for template in templates:
        if not is_meant(statement, template):
            continue
        faults = [
            *_wrong_references(statement, template, templates, find_statement),
            *(fault for rule in template.get("rules", ()) for fault in faults_of(statement, rule)),
        ]
        if faults:
            broken[template["id"]] = faults
        else:
            met.append(template["id"])
    return Judgement(tuple(met), broken)


def is_meant(statement: Json, template: Json) -> bool:
    """Whether a statement has all the determining properties of a template."""
    for name, path in _SINGLE.items():
        if name in template and template[name] not in find(path, statement):
            return False
    return all(
        set(template.get(name, ())) <= set(find(path, statement)) for name, path in _LISTED.items()
    )


def faults_of(statement: Json, rule: Json) -> list[str]:
    """Return what of a rule a statement does not follow, in words; nothing where it follows it."""
    location = rule["location"]
    values = find(location, statement)
    if "selector" in rule:
        location = f"{location} → {rule['selector']}"
        values = [one for value in values for one in find(rule["selector"], value) or [_NOTHING]]
    matchable = [value for value in values if value is not _NOTHING]
    presence = rule.get("presence")
    faults: list[str] = []
    if presence == "included" and (not values or len(matchable) < len(values)):
        faults.append(f"{location} is missing")
    if presence == "excluded" and matchable:
        faults.append(f"{location} must not be there ({matchable[0]!r})")
    if presence == "excluded" or (presence == "recommended" and not values):
        return faults
    if "any" in rule and not any(_among(value, rule["any"]) for value in matchable):
        faults.append(f"{location} has none of {rule['any']!r}")
    if "all" in rule:
        others = [value for value in matchable if not _among(value, rule["all"])]
        if others or len(matchable) < len(values):
            faults.append(f"{location} has {others!r}, only {rule['all']!r} may be there")
    if "none" in rule:
        faults += [
            f"{location} must not be {value!r}"
            for value in matchable
            if _among(value, rule["none"])
        ]
    return faults


def _wrong_references(
    statement: Json, template: Json, templates: Sequence[Json], find_statement: FindStatement
) -> list[str]:
    faults = []
    for name, path in _REFERENCES.items():
        if name not in template:
            continue
        [reference] = find(path, statement) or [{}]
        if reference.get("objectType") != "StatementRef":
            faults.append(f"{path} is no StatementRef")
            continue
        other = find_statement(reference["id"])
        if other is not None and not set(template[name]) & set(judge(other, templates).met):
            faults.append(f"{path} refers to a statement of another kind")
    return faults


def _among(value: Any, wanted: Sequence[Any]) -> bool:
    return any(_equal(value, one) for one in wanted)


def _equal(one: Any, other: Any) -> bool:
    """JSON's equality: Python takes true for 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)
