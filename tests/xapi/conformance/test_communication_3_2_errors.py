"""What is too large (xAPI 1.0.3, Communication 3.2)."""

from __future__ import annotations

import pytest

from tests.xapi.conformance.resources import (
    STATE,
    send,
)
from tests.xapi.lrs import Provider
from xapi.lrs import documents

HERE = {"If-Match": "*"}


def test_a_document_has_a_most_size(lrs: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """3.2: 413 for more than is taken, by a merge too."""
    monkeypatch.setattr(documents, "DOCUMENT_MOST", 20)
    assert send(lrs, "POST", "activities/state", STATE, json={"a": 1}).status_code == 204
    assert send(lrs, "POST", "activities/state", STATE, json={"b": "1234567890"}).status_code == 413
    assert send(lrs, "GET", "activities/state", STATE).json == {"a": 1}
    for size, status in ((20, 204), (21, 413)):
        put = send(lrs, "PUT", "activities/state", STATE, data=b"x" * size, headers=HERE)
        assert put.status_code == status
