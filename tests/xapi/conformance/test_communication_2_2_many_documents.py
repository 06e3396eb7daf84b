"""The ids of very many documents (xAPI 1.0.3, Communication 2.2): all of them, in little memory."""

from __future__ import annotations

import datetime as dt
import tracemalloc
import uuid
from collections.abc import Sequence

import pytest
from sqlalchemy import insert

from lms import clock
from lms.db import db
from tests.xapi.conformance.resources import STATE, send, without
from tests.xapi.lrs import Provider
from xapi.lrs.keys import digest
from xapi.lrs.models import LrsDocument

GROUP = without(STATE, "stateId")
PEAK_MOST_MB = 6.0


def fill(lrs: Provider, names: Sequence[str], registrations: Sequence[str] = ("",)) -> None:
    """Keep small states, a millisecond apart, beside one that was sent as others send it."""
    send(lrs, "PUT", "activities/state", {**GROUP, "stateId": "first"}, json={})
    one = db.session.query(LrsDocument).one()
    values = {"kind": one.kind, "agent": one.agent, "activity": one.activity}
    values |= {"content_type": "application/json", "content": b"{}", "etag": one.etag}
    began = clock.now()
    for start in range(0, len(names), 10_000):
        rows = [
            {
                **values,
                "key": digest(f"{name} {registration}"),
                "name": name,
                "registration": registration,
                "updated": began + dt.timedelta(milliseconds=start + number),
            }
            for number, name in enumerate(names[start : start + 10_000])
            for registration in registrations
        ]
        db.session.execute(insert(LrsDocument), rows)
    db.session.commit()


def test_all_are_listed_once_and_in_order(lrs: Provider) -> None:
    names = [f'{number:04} \u201c\u00e9\U0001f600" \\' for number in range(2500)]
    fill(lrs, names, (str(uuid.uuid4()), str(uuid.uuid4())))
    answer = send(lrs, "GET", "activities/state", GROUP)
    assert answer.json == ["first", *names]
    assert answer.content_type == "application/json"
    assert answer.headers["Content-Length"] == str(len(answer.data))
    head = send(lrs, "HEAD", "activities/state", GROUP)
    assert (head.data, head.headers["Content-Length"]) == (b"", str(len(answer.data)))


@pytest.mark.long
def test_a_hundred_thousand_take_no_more_memory_than_a_few(lrs: Provider) -> None:
    """32 MB of ids are answered, and never more than a few of it are held."""
    names = [f"{number:06}" + "x" * 300 for number in range(100_000)]
    fill(lrs, names)
    with lrs.client.application.app_context():
        send(lrs, "GET", "activities/state", {**GROUP, "since": "2100-01-01T00:00:00Z"})
        tracemalloc.start()
        answer = send(lrs, "GET", "activities/state", GROUP)
        size = sum(len(piece) for piece in answer.response)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        answer.close()
    head = send(lrs, "HEAD", "activities/state", GROUP)
    head.close()
    assert head.headers["Content-Length"] == answer.headers["Content-Length"]
    assert size == int(answer.headers["Content-Length"]) > 100_000 * 306
    assert peak < PEAK_MOST_MB * 1024 * 1024
