"""Joining by one link at the same moment: nobody waits for the hash of another's password."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from lms.db import db
from lms.people import joining
from lms.people.models import Identity, JoinLink
from tests import databases
from tests.elsewhere import elsewhere, others_may_write
from tests.factories.people import make_person

PASSWORD = "three harbour gulls"


def make_link(**more: Any) -> str:
    made_by = make_person(is_administrator=True)
    link = joining.make_link(made_by, **{"days": 2, "most_uses": 20, **more})
    db.session.commit()
    return f"/join/{joining.token_of(link)}"


@pytest.mark.skipif(databases.KIND != "sqlite", reason="PostgreSQL has many writers")
@pytest.mark.parametrize("door", ["hashed", "matches"])
def test_others_write_while_a_password_is_hashed(
    app: Flask, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    path, free = make_link(), list[bool]()
    form = {"name": "Imani Okafor", "password": PASSWORD}
    app.test_client().post(path, data=form)
    plain = getattr(joining, door)

    def watched(*args: Any) -> Any:
        free.append(others_may_write())
        return plain(*args)

    monkeypatch.setattr(joining, door, watched)
    answer = app.test_client().post(path, data={**form, "password": f"{PASSWORD} too"})
    assert (answer.location, free) == ("/welcome", [True])


def test_who_came_in_while_a_password_was_hashed_comes_in_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double tap, of which the second is done while the first is still hashing."""
    path = make_link()
    form = {"name": "Imani Okafor", "password": PASSWORD}
    plain = joining.hashed
    second: list[str] = []

    def tap_again(password: str) -> str:
        if not second:
            second.append("")
            second[0] = app.test_client().post(path, data=form).location
        return plain(password)

    monkeypatch.setattr(joining, "hashed", tap_again)
    assert app.test_client().post(path, data=form).location == second[0] == "/welcome"
    named = select(func.count()).where(Identity.display_name == "Imani Okafor")
    assert db.session.scalar(named) == 1
    assert db.session.scalars(select(JoinLink.uses)).all() == [1]


def test_a_link_that_is_closed_while_a_password_is_hashed_lets_nobody_in(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_link()

    def close(_password: str) -> str:
        elsewhere(update(JoinLink).values(most_uses=0))
        return "a hash"

    monkeypatch.setattr(joining, "hashed", close)
    answer = app.test_client().post(path, data={"name": "Imani Okafor", "password": PASSWORD})
    assert answer.status_code == 410
