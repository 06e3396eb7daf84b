"""Voiding (xAPI 1.0.3, Data 2.3; IEEE 9274.1.1, 4.2.3)."""

from __future__ import annotations

from typing import Any

from tests.xapi.lrs import Provider, statement

VOIDED = {"id": "http://adlnet.gov/expapi/verbs/voided"}


def ref(one: dict[str, Any] | str) -> dict[str, str]:
    return {"objectType": "StatementRef", "id": one if isinstance(one, str) else one["id"]}


def test_voiding(lrs: Provider) -> None:
    sent, late = statement(), statement()
    lrs.post(sent)
    void = statement(verb=VOIDED, object=ref(sent))
    lrs.post(void)
    assert lrs.ask("GET", query_string={"statementId": sent["id"]}).status_code == 404
    answer = lrs.ask("GET", query_string={"voidedStatementId": sent["id"]})
    assert answer.json["id"] == sent["id"]
    assert lrs.find() == [void["id"]]
    # A voiding statement cannot be voided.
    lrs.post(statement(verb=VOIDED, object=ref(void)))
    assert lrs.ask("GET", query_string={"statementId": void["id"]}).status_code == 200
    # What voids may come before what is voided.
    lrs.post(statement(verb=VOIDED, object=ref(late)))
    lrs.post(late)
    assert late["id"] not in lrs.find()
    # What voids must name a statement.
    lrs.post(statement(verb=VOIDED), status=400)
