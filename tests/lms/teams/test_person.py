"""One person for those above; nudging and thanking."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms import clock
from lms.db import db
from lms.notices.models import Notice
from lms.people.models import Person
from tests.lms.teams.conftest import NOW, Team

SignIn = Callable[[Person], FlaskClient]


def notices(person: Person) -> list[Notice]:
    db.session.rollback()
    return list(db.session.scalars(select(Notice).where(Notice.person_id == person.id)))


def test_conditions_are_met_or_not_and_never_counted(sign_in: SignIn, team: Team) -> None:
    page = sign_in(team.manager).get(f"/team/people/{team.imani.uid}").text
    assert "Answer colleagues" in page
    assert "not met yet" in page
    assert "on track, 4 of 9" in page
    assert "2 of" not in page.replace("4 of 9", "")


def test_only_those_above_see_a_person(sign_in: SignIn, team: Team) -> None:
    path = f"/team/people/{team.below.uid}"
    assert sign_in(team.manager).get(path).status_code == 200
    assert sign_in(team.jonas).get(path).status_code == 200
    assert sign_in(team.leila).get(path).status_code == 404
    assert sign_in(team.below).get(path).status_code == 404
    assert sign_in(team.jonas).post(f"/team/people/{team.leila.uid}/nudge").status_code == 404


def test_a_nudge_goes_out_once_a_day(sign_in: SignIn, team: Team) -> None:
    browser = sign_in(team.manager)
    path = f"/team/people/{team.tomasz.uid}/nudge"
    answer = browser.post(path, data={"from": "team", "sort": "name", "scope": "direct"})
    assert answer.headers["Location"] == "/team?scope=direct&sort=name"
    browser.post(path)
    (told,) = notices(team.tomasz)
    assert told.data["items"] == ["First 30 days", "Privacy on the network"]
    assert "Greta" not in str(told.data)
    assert "nudged today" in browser.get("/team").text
    with clock.travel(NOW + dt.timedelta(days=1)):
        assert "nudged today" not in browser.get("/team").text
        browser.post(path)
    assert len(notices(team.tomasz)) == 2


def test_who_is_fine_is_not_nudged(sign_in: SignIn, team: Team) -> None:
    sign_in(team.manager).post(f"/team/people/{team.imani.uid}/nudge")
    assert notices(team.imani) == []


def test_nudging_is_no_get(sign_in: SignIn, team: Team) -> None:
    path = f"/team/people/{team.tomasz.uid}/nudge"
    assert sign_in(team.manager).get(path).status_code == 405


def test_thanks_are_said_once(sign_in: SignIn, team: Team) -> None:
    browser = sign_in(team.manager)
    path = f"/team/people/{team.jonas.uid}/thank"
    browser.post(path)
    browser.post(path)
    assert len(notices(team.jonas)) == 1
    assert "thanked" in browser.get("/team").text
    browser.post(f"/team/people/{team.tomasz.uid}/thank")
    assert notices(team.tomasz) == []


def test_the_first_page_of_a_manager_says_who_waits(sign_in: SignIn, team: Team) -> None:
    page = sign_in(team.manager).get("/").text
    assert "Two people need you" in page
    assert "Your team of four" in page
    assert "Your team" not in sign_in(team.imani).get("/").text


def test_mail_is_promised_only_where_it_can_go(app: Flask, sign_in: SignIn, team: Team) -> None:
    browser = sign_in(team.manager)
    assert team.tomasz.identity is not None
    for server, address, day, said in (
        ("", "tomasz@halden.example", 0, "They will find it on their page.<"),
        ("mail.halden.example", None, 1, "They will find it on their page.<"),
        ("mail.halden.example", "tomasz@halden.example", 2, "on their page, and in their mail.<"),
    ):
        app.config["LMS_MAIL_SERVER"] = server
        team.tomasz.identity.email = address
        db.session.commit()
        with clock.travel(NOW + dt.timedelta(days=day)):
            path = f"/team/people/{team.tomasz.uid}/nudge"
            assert said in browser.post(path, follow_redirects=True).text, (server, address)
