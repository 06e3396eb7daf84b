"""Rules between properties (xAPI 1.0.3, Data 2.3 and 2.4; IEEE 9274.1.1, 4.2)."""

from __future__ import annotations

import pytest

from tests.xapi.conformance.test_data_2_2_formatting import both, refusal
from tests.xapi.conformance.test_data_2_4_values import ACCOUNT, MAIL
from tests.xapi.conformance.whole import put, spell, wholes
from tests.xapi.lrs import statement

UNKNOWN_TO_1 = ("contextAgents", "contextGroups")


@pytest.mark.parametrize("name", UNKNOWN_TO_1)
def test_1_0_does_not_know_what_came_with_2_0(name: str) -> None:
    whole = wholes(1)["activity"]
    assert refusal(put(whole, ("context", name), []), 1) == f"context.{name}"


@both
@pytest.mark.parametrize("kind", ["agent", "group", "anonymous", "ref"])
@pytest.mark.parametrize("name", ["revision", "platform"])
def test_revision_and_platform_are_for_activities(kind: str, name: str, version: int) -> None:
    """2.4.6: "MUST NOT be used if the Statement's Object is an Agent or Group", nor a reference."""
    for whole, inside in ((kind, ()), (f"sub {kind}", ("object",))):
        if whole in wholes(version):
            path = (*inside, "context", name)
            assert refusal(put(wholes(version)[whole], path, "x"), version) == spell(path)


@both
def test_a_group_as_authority_is_two_without_a_name_of_their_own(version: int) -> None:
    """2.4.9: an anonymous group of exactly two, of three-legged OAuth."""
    two = {"objectType": "Group", "member": [MAIL, ACCOUNT]}
    assert refusal(statement(authority=two), version) is None
    for wrong in (
        {**two, "member": [MAIL]},
        {**two, "member": [MAIL, ACCOUNT, MAIL]},
        {**two, **MAIL},
    ):
        assert refusal(statement(authority=wrong), version) == "authority"


@both
def test_a_sub_statement_is_no_statement(version: int) -> None:
    """2.4.4.3: no id, stored, version or authority, and no sub-statement of its own."""
    whole = wholes(version)["sub activity"]
    for name in ("id", "stored", "version", "authority"):
        assert refusal(put(whole, ("object", name), whole[name]), version) == f"object.{name}"
    nested = put(whole, ("object", "object"), whole["object"])
    assert refusal(nested, version) == "object.object.objectType"


@both
def test_what_voids_names_a_statement(version: int) -> None:
    """2.3.2: the object of `voided` is a StatementRef, inside a sub-statement too."""
    void = "http://adlnet.gov/expapi/verbs/voided"
    for kind, whole in wholes(version).items():
        found = refusal(put(whole, ("verb", "id"), void), version)
        assert found == (None if kind == "ref" else "object"), kind


@both
@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("choice", ("choices",)),
        ("sequencing", ("choices",)),
        ("likert", ("scale",)),
        ("matching", ("source", "target")),
        ("performance", ("steps",)),
        ("true-false", ()),
        ("fill-in", ()),
        ("long-fill-in", ()),
        ("numeric", ()),
        ("other", ()),
    ],
)
def test_each_interaction_has_its_lists_and_no_others(
    kind: str, names: tuple[str, ...], version: int
) -> None:
    """2.4.4.1: the table of interaction types."""
    for name in ("choices", "scale", "source", "target", "steps"):
        definition = {"interactionType": kind, name: [{"id": "a"}]}
        target = {"id": "http://example.test/q", "definition": definition}
        found = refusal(statement(object=target), version)
        assert found == (None if name in names else f"object.definition.{name}")
    for name in ("correctResponsesPattern", "choices"):
        target = {"id": "http://example.test/q", "definition": {name: []}}
        assert refusal(statement(object=target), version) == "object.definition.interactionType"
