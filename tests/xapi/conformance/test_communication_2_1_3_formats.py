"""The formats statements are given in (xAPI 1.0.3, Communication 2.1.3; IEEE 9274.1.1, 4.1.6.1).

Statements of every kind that say everything are stored, and asked for in each format.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from flask import Flask

from tests.xapi.conformance.whole import Path, drop, put, walk, wholes
from tests.xapi.lrs import ACTIVITY, VERB, Provider, statement
from xapi.lrs.formats import choose

IDENTIFIERS = {"account", "mbox", "mbox_sha1sum", "openid"}
AGENTS = {"actor", "instructor", "team", "authority", "agent", "group"}
RELATED = {"parent", "grouping", "category", "other"}
BOTH = pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
TWO = {"en": "One", "de": "Eins"}


def kind_of(path: Path, value: Any) -> str:
    """Return what stands at a place: agent, verb, activity, or something else (empty text)."""
    if not isinstance(value, dict):
        return ""
    names = [step for step in path if isinstance(step, str)]
    if names[-1] in AGENTS or value.get("objectType") in ("Agent", "Group"):
        return "agent"
    if names[-1] == "verb":
        return "verb"
    return "activity" if names[-1] in RELATED or value.get("objectType") == "Activity" else ""


def store(lrs: Provider, version: str, **changes: Any) -> dict[str, dict[str, Any]]:
    """Store each kind, by PUT; changes: other values by the last step of their places."""
    kept = {}
    for kind, whole in wholes(int(version[0])).items():
        one = statement()
        whole = drop(whole, ("authority",))
        for path, _ in list(walk(whole)):
            if path[-1] in changes and path[-3:-1] != ("attachments", 0):
                whole = put(whole, path, changes[str(path[-1])])
        kept[kind] = {**whole, "id": one["id"]}
        answer = lrs.ask("PUT", query_string={"statementId": one["id"]}, json=kept[kind])
        assert answer.status_code == 204, (kind, answer.text)
    return kept


def fetch(lrs: Provider, statement_id: str, wanted: str, **headers: str) -> dict[str, Any]:
    answer = lrs.ask(
        "GET",
        query_string={"statementId": statement_id, "format": wanted},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def places(one: dict[str, Any], *skipped: str) -> dict[Path, Any]:
    """Return what stands at the ends of a statement, but for what the store itself says."""
    own = {"authority", "stored", "version", "timestamp", *skipped}
    return {
        path: value
        for path, value in walk(one)
        if (not isinstance(value, (dict, list)) or path[-1] == "extensions")
        and not own.intersection(map(str, path))
    }


@BOTH
def test_exact_is_as_it_came(app: Flask, version: str) -> None:
    lrs = Provider(app, version=version)
    for kind, sent in store(lrs, version).items():
        assert places(fetch(lrs, sent["id"], "exact")) == places(sent), kind
        listed = lrs.ask("GET", query_string={"statementId": sent["id"]}).json
        assert places(listed) == places(sent), kind


@BOTH
def test_ids_is_what_identifies_and_all_that_is_no_description(app: Flask, version: str) -> None:
    lrs = Provider(app, version=version)
    for kind, sent in store(lrs, version).items():
        found = fetch(lrs, sent["id"], "ids")
        described: list[Path] = []
        for path, value in walk(found):
            told = kind_of(path, value)
            if told == "agent":
                identifiers = value.keys() & IDENTIFIERS
                rest = value.keys() - identifiers
                assert len(identifiers) == 1 or (not identifiers and value["member"]), path
                assert rest <= ({"objectType"} if identifiers else {"objectType", "member"})
            elif told == "activity" or told == "verb":
                assert value.keys() == {"id"}, (kind, path)
            elif path[-2:-1] == ("member",) or (len(path) > 1 and path[-2] == "member"):
                assert len(value.keys()) == 1, (kind, path)
        for path, value in walk(sent):
            if kind_of(path, value):
                described.append(path)
        outside = {
            path: value
            for path, value in places(sent).items()
            if not any(path[: len(one)] == one for one in described)
        }
        assert outside.items() <= places(found).items(), kind
        for path in described:
            assert path in dict(walk(found)) or _inside(path, described), (kind, path)


def _inside(path: Path, others: Sequence[Path]) -> bool:
    return any(len(one) < len(path) and path[: len(one)] == one for one in others)


@BOTH
def test_canonical_is_told_by_the_store_in_one_language(app: Flask, version: str) -> None:
    lrs = Provider(app, version=version)
    components = [{"id": "a", "description": TWO}, {"id": "b"}]
    lists = dict.fromkeys(("choices", "scale", "source", "steps"), components)
    kept = store(lrs, version, display=TWO, description=TWO, **lists)
    told = {"name": TWO, "description": TWO, "extensions": {}}
    lrs.post(statement(object={**wholes(1)["activity"]["object"], "definition": told}))
    lrs.post(statement(verb={"id": VERB["id"], "display": {"es": "hizo", "de": "machte"}}))
    for kind, sent in kept.items():
        found = fetch(lrs, sent["id"], "canonical", Accept_Language="fr;q=0.2, de; q=0.9")
        for path, value in walk(found):
            if "attachments" in path or not isinstance(value, dict):
                continue
            if path[-1] == "verb":
                assert value["display"] == {"de": "machte"}, kind
            if path[-1] == "definition":
                assert value["name"] == value["description"] == {"de": "Eins"}, (kind, path)
                assert value["moreInfo"] == "http://example.test/more", (kind, path)
        definition = found["object"].get("definition", {})
        for name in lists:
            for one in definition.get(name, ()):
                assert one in ({"id": "a", "description": {"de": "Eins"}}, {"id": "b"}), name
        assert found["actor"] == sent["actor"]
        assert found["context"]["team"] == sent["context"]["team"]


def test_what_the_store_knows_nothing_of_is_canonical_as_it_is(lrs: Provider) -> None:
    sent = statement(verb={"id": "http://example.test/verbs/unsaid"})
    lrs.post(sent)
    found = fetch(lrs, sent["id"], "canonical")
    assert (found["verb"], found["object"]) == (sent["verb"], ACTIVITY)


@pytest.mark.parametrize(
    ("tags", "wanted", "chosen"),
    [
        (["en", "de"], ["de"], "de"),
        (["en", "de"], ["DE"], "de"),
        (["en", "de-AT", "de"], ["de"], "de"),
        (["en", "de-AT"], ["de-CH"], "de-AT"),
        (["de-AT", "en"], ["fr", "de"], "de-AT"),
        (["de", "en-US"], ["fr"], "en-US"),
        (["de", "en"], [], "en"),
        (["de", "und"], ["fr"], "und"),
        (["de", "es"], ["fr"], "de"),
        (["de"], ["fr"], "de"),
        (["x-own"], [], "x-own"),
    ],
)
def test_the_language_that_fits_best(tags: list[str], wanted: list[str], chosen: str) -> None:
    """Exactly, by its main part, English, or any: never none where there is one."""
    texts = {tag: f"in {tag}" for tag in tags}
    assert choose(texts, wanted) == {chosen: f"in {chosen}"}
    assert choose({}, wanted) == {}


def test_languages_are_read_as_http_has_them(lrs: Provider) -> None:
    """RFC 9110, 12.5.4: weights, in any order, with blanks."""
    display = {"en": "did", "de": "tat", "es": "hizo"}
    sent = statement(verb={"id": VERB["id"], "display": display})
    lrs.post(sent)
    for header, chosen in (
        ("de", "de"),
        ("de;q=0.1, es;q=0.9", "es"),
        ("de; q=0.1, es; q=0.9", "es"),
        ("de;q=0, es;q=0.1", "es"),
        ("de;q=x, es", "es"),
        ("*", "en"),
        (",", "en"),
        ("", "en"),
    ):
        found = fetch(lrs, sent["id"], "canonical", Accept_Language=header)
        assert list(found["verb"]["display"]) == [chosen], header
