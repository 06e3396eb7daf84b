"""The profile as a document: JSON-LD as xAPI Profiles 1.0 wants it (part two, 6 to 9)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from xapi import vocabulary as v
from xapi.profile.patterns import PATTERNS, Pattern
from xapi.profile.templates import ALWAYS, TEMPLATES, Rule, Template

CONTEXT = "https://w3id.org/xapi/profiles/context"
CONFORMS_TO = "https://w3id.org/xapi/profiles#1.0"
MEDIA_TYPE = "application/ld+json"

# Every version there ever was, the newest first: name and when it was made.
VERSIONS = (("v1", "2026-11-23T09:00:00Z"),)

_DIGEST_SCHEMA = '{"type": "string", "pattern": "^[0-9a-f]{64}$"}'


def build() -> dict[str, Any]:
    """Return the present version of the profile, made from the vocabulary and the templates."""
    return {
        "@context": CONTEXT,
        "id": v.ROPES,
        "type": "Profile",
        "conformsTo": CONFORMS_TO,
        "prefLabel": _said("Ropes"),
        "definition": _said(
            "Learning to use a company's enterprise social network: courses, paths, use of the "
            "network, and certificates that only use earns. Everybody is an opaque id; nothing "
            "that was written in the network is told."
        ),
        "author": {"type": "Organization", "name": "The Ropes project"},
        "versions": _versions(),
        "concepts": _concepts(),
        "templates": [_template(one) for one in TEMPLATES],
        "patterns": [_pattern(one) for one in PATTERNS],
    }


def to_text(profile: dict[str, Any]) -> bytes:
    """Return a profile as it is published."""
    return orjson.dumps(profile, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


@cache
def published(version: str) -> bytes:
    """Return a version as it was published; raises KeyError where there is no such version."""
    if version not in dict(VERSIONS):
        raise KeyError(version)
    return (files("xapi.profile") / "published" / f"{version}.jsonld").read_bytes()


def _versions() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number, (name, moment) in enumerate(VERSIONS):
        row: dict[str, Any] = {"id": f"{v.ROPES}#{name}", "generatedAtTime": moment}
        if number + 1 < len(VERSIONS):
            row["wasRevisionOf"] = [f"{v.ROPES}#{VERSIONS[number + 1][0]}"]
        rows.append(row)
    return rows


def _concepts() -> list[dict[str, Any]]:
    """What is ours alone: verbs and activity types are others', and not said again here."""
    return [
        {
            "id": iri,
            "type": "ContextExtension",
            "inScheme": v.ROPES_VERSION_IRI,
            "prefLabel": _said(label),
            "definition": _said(definition),
            "recommendedVerbs": [v.EARNED.iri],
            "inlineSchema": _DIGEST_SCHEMA,
        }
        for iri, label, definition in (
            (
                v.RULE_DIGEST,
                "digest of the rule",
                "SHA-256, in hexadecimal, of the rule that a certificate was given by.",
            ),
            (
                v.EVIDENCE_DIGEST,
                "digest of the evidence",
                "SHA-256, in hexadecimal and salted, of the evidence that was frozen when a "
                "certificate was given: whoever is shown the evidence can tell that it is the "
                "same, and nobody can guess it from the digest.",
            ),
        )
    ]


def _template(template: Template) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": f"{v.ROPES}#templates/{template.slug}",
        "type": "StatementTemplate",
        "inScheme": v.ROPES_VERSION_IRI,
        "prefLabel": _said(template.label),
        "definition": _said(template.definition),
        "verb": template.verb.iri,
    }
    if template.object_type is not None:
        made["objectActivityType"] = template.object_type
    if template.grouping_types:
        made["contextGroupingActivityType"] = list(template.grouping_types)
    if template.parent_types:
        made["contextParentActivityType"] = list(template.parent_types)
    made["contextCategoryActivityType"] = [v.PROFILE]
    if template.refers_to:
        made["objectStatementRefTemplate"] = [
            f"{v.ROPES}#templates/{slug}" for slug in template.refers_to
        ]
    made["rules"] = [_rule(one) for one in (*ALWAYS, *template.rules)]
    return made


def _rule(rule: Rule) -> dict[str, Any]:
    made: dict[str, Any] = {"location": rule.location}
    if rule.presence:
        made["presence"] = rule.presence
    if rule.any:
        made["any"] = list(rule.any)
    if rule.all:
        made["all"] = list(rule.all)
    if rule.note:
        made["scopeNote"] = _said(rule.note)
    return made


def _pattern(pattern: Pattern) -> dict[str, Any]:
    elements = [f"{v.ROPES}#{one}" for one in pattern.elements]
    single = pattern.how in ("optional", "oneOrMore", "zeroOrMore")
    return {
        "id": f"{v.ROPES}#patterns/{pattern.slug}",
        "type": "Pattern",
        "primary": pattern.primary,
        "inScheme": v.ROPES_VERSION_IRI,
        "prefLabel": _said(pattern.label),
        "definition": _said(pattern.definition),
        pattern.how: elements[0] if single else elements,
    }


def _said(text: str) -> dict[str, str]:
    return {"en": text}
