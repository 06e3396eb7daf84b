"""Writers of one document at the same moment: one wins, the others are told (Communication 3.1)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from lms.db import db
from tests.xapi.conformance.resources import NEW, every, send
from tests.xapi.lrs import Provider

WRITERS, ROUNDS = 5, 2


def at_once(app: Flask, act: Callable[[Provider, int], int]) -> Counter[int]:
    """Have several writers, each with a credential of its own, do something at the same moment."""
    writers = [Provider(app) for _ in range(WRITERS)]
    db.session.rollback()  # what this thread has begun would keep the others waiting
    start, statuses = threading.Barrier(WRITERS), []

    def write(number: int) -> None:
        start.wait()
        statuses.append(act(writers[number], number))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(statuses)


@every
def test_one_makes_it(app: Flask, path: str, names: dict[str, str]) -> None:
    for number in range(ROUNDS):
        one = {**names, ("stateId" if "stateId" in names else "profileId"): f"new {number}"}

        def make(writer: Provider, who: int, one: dict[str, str] = one) -> int:
            return send(writer, "PUT", path, one, json={"by": who}, headers=NEW).status_code

        assert at_once(app, make) == {204: 1, 412: WRITERS - 1}


@every
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_one_changes_what_all_have_read(
    app: Flask, lrs: Provider, path: str, names: dict[str, str], method: str
) -> None:
    for number in range(ROUNDS):
        assert send(lrs, "POST", path, names, json={"round": number}).status_code == 204
        tag = send(lrs, "GET", path, names).headers["ETag"]

        def change(writer: Provider, who: int, tag: str = tag) -> int:
            more: dict[str, Any] = {} if method == "DELETE" else {"json": {f"by {who}": tag}}
            answer = send(writer, method, path, names, headers={"If-Match": tag}, **more)
            return answer.status_code

        assert at_once(app, change) == {204: 1, 412: WRITERS - 1}
        left = send(lrs, "GET", path, names)
        assert (left.status_code == 404) is (method == "DELETE")
        if method != "DELETE":
            assert [value for value in left.json.values() if value == tag] == [tag]


@every
def test_what_several_merge_is_all_there(
    app: Flask, lrs: Provider, path: str, names: dict[str, str]
) -> None:
    """2.2: each POST merges into what is there at that moment; none overwrites another's."""

    def merge(writer: Provider, who: int) -> int:
        for number in range(ROUNDS):
            answer = send(writer, "POST", path, names, json={f"{who}.{number}": number})
            assert answer.status_code == 204
        return answer.status_code

    assert at_once(app, merge) == {204: WRITERS}
    assert len(send(lrs, "GET", path, names).json) == WRITERS * ROUNDS
