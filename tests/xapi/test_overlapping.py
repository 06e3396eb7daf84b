"""Eight clients that write over one another: no error, no deadlock, nothing lost or doubled."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from flask import Flask

from tests.benchmarks.overlapping import make_batch, overlap
from xapi.lrs.validate import check_statement

SECONDS = 15


@pytest.mark.long
def test_eight_clients_write_over_one_another(app: Flask, tmp_path: Path) -> None:
    found = overlap(app, tmp_path / "serve.log", SECONDS)
    assert found.errors == []
    assert found.check() == []
    assert found.batches > 8 * SECONDS
    assert len(found.acknowledged) < found.sent  # the same ids came more than once


def test_their_batches_overlap_and_are_right() -> None:
    one, other = (make_batch(random.Random(seed), str(seed)) for seed in (1, 2))
    for batch in (one, other):
        assert len({said["id"] for said in batch}) == len(batch)
        for said in batch:
            check_statement(said, 1)
    everything = [make_batch(random.Random(seed), "x") for seed in range(60)]
    ids = [said["id"] for batch in everything for said in batch]
    assert len(set(ids)) < len(ids)
    assert any(said["object"].get("objectType") == "StatementRef" for said in one + other)
