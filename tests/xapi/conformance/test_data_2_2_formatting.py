"""What holds for every object (xAPI 1.0.3, Data 2.2; IEEE 9274.1.1, 4.2.1)."""

from __future__ import annotations

import json

from sqlalchemy import func, select

from lms.db import db
from tests.xapi.lrs import Provider, statement
from xapi.lrs.models import LrsStatement


def stored_count() -> int:
    return db.session.scalar(select(func.count()).select_from(LrsStatement)) or 0


def test_extensions_are_as_deep_as_can_be_written_again(lrs: Provider) -> None:
    def deep(levels: int, inner: str, outer: str) -> dict[str, object]:
        extensions = {"http://example.test/e": json.loads(inner * levels + "1" + outer * levels)}
        return statement(context={"extensions": extensions})

    lrs.post([deep(90, '{"a":', "}"), deep(90, "[", "]")])
    for inner, outer in (('{"a":', "}"), ("[", "]")):
        answer = lrs.post(deep(300, inner, outer), status=400)
        assert "nested deeper" in str(answer)
    assert stored_count() == 2
