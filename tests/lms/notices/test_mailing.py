"""The mail job, against a real SMTP server that can refuse, and one that is away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from lms import clock
from lms.db import db
from lms.jobs import queue
from lms.mail.rows import Mailing
from lms.notices.mailing import FIRST_WAIT_SECONDS, MOST_TRIES, check_mailing, mail_waiting
from lms.notices.models import Notice
from lms.people.models import Person
from lms.teams.nudges import nudge, thank
from tests.databases import free_port
from tests.factories.people import make_person
from tests.mailboxes import Sink, mail_server

pytestmark = pytest.mark.network

NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with mail_server() as made:
        yield made


@pytest.fixture
def mailing(make_app: Callable[..., Flask], sink: Sink) -> Iterator[Flask]:
    app = make_app(LMS_MAIL_SERVER="127.0.0.1", LMS_MAIL_PORT=sink.port)
    with app.app_context(), clock.travel(NOW):
        yield app
        db.session.rollback()


def the_notice() -> Notice:
    db.session.rollback()
    return db.session.scalars(select(Notice)).one()


def a_nudge(**fields: Any) -> tuple[Person, Person]:
    boss = make_person("Greta Halden", email="greta@example.test")
    person = make_person("Imani Okafor", email="imani@example.test", **fields)
    nudge(boss, person.id, ["First 30 days"])
    db.session.commit()
    return boss, person


def test_a_nudge_arrives(mailing: Flask, sink: Sink) -> None:
    a_nudge()
    assert queue.run_pending() == ["notices.mail"]
    ((recipients, mail),) = sink.taken
    assert recipients == ["imani@example.test"]
    assert mail["Subject"] == "Greta Halden asks: can you look at First 30 days?"
    text = mail.get_body(("plain",))
    assert text is not None
    assert "- First 30 days" in text.get_content()
    assert "http://localhost/" in text.get_content()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert the_notice().mailing == Mailing.SENT
    assert the_notice().sent_at == NOW
    mail_waiting()
    assert len(sink.taken) == 1


def test_the_reader_s_language_is_used(mailing: Flask, sink: Sink, monkeypatch: Any) -> None:
    from lms.notices import mailing as module

    seen: list[str] = []
    parts = module.mail_parts

    def note(*args: Any) -> Any:
        from flask_babel import get_locale

        seen.append(str(get_locale()))
        return parts(*args)

    monkeypatch.setattr(module, "mail_parts", note)
    a_nudge(language="fr")
    mail_waiting()
    assert seen == ["fr"]


def test_a_server_that_says_later_is_tried_again_with_growing_patience(
    mailing: Flask, sink: Sink
) -> None:
    a_nudge()
    sink.answer = "451 later, please"
    moment = NOW
    waits: list[float] = []
    for _attempt in range(4):
        with clock.travel(moment):
            mail_waiting()
            mail_waiting()  # not due yet: nothing happens
        due = the_notice().next_try_at
        waits.append((due - moment).total_seconds())
        moment = due
    assert waits == [FIRST_WAIT_SECONDS * 2**n for n in range(4)]
    assert the_notice().mail_tries == 4
    sink.answer = "250 taken"
    with clock.travel(moment):
        mail_waiting()
    assert len(sink.taken) == 1
    assert the_notice().mailing == Mailing.SENT


def test_patience_ends_and_the_doctor_says_so(mailing: Flask, sink: Sink) -> None:
    a_nudge()
    assert check_mailing() is None
    sink.answer = "451 never"
    for day in range(MOST_TRIES):
        with clock.travel(NOW + dt.timedelta(days=day)):
            mail_waiting()
    assert the_notice().mailing == Mailing.FAILED
    assert the_notice().mail_tries == MOST_TRIES
    assert "could not be delivered" in (check_mailing() or "")


def test_an_address_that_is_refused_for_good_is_not_tried_again(mailing: Flask, sink: Sink) -> None:
    _boss, person = a_nudge()
    other = make_person("Leila Haddad", email="leila@example.test")
    thank(person, other.id, 1)
    db.session.commit()
    sink.refuse["imani@example.test"] = "550 nobody of that name"
    mail_waiting()
    assert [recipients for recipients, _mail in sink.taken] == [["leila@example.test"]]
    db.session.rollback()
    states = dict(db.session.execute(select(Notice.person_id, Notice.mailing)).all())
    assert states == {person.id: Mailing.FAILED, other.id: Mailing.SENT}


def test_a_server_that_is_away_loses_nothing(mailing: Flask, sink: Sink) -> None:
    mailing.config["LMS_MAIL_PORT"] = free_port()
    a_nudge()
    mail_waiting()
    assert the_notice().mailing == Mailing.WAITING
    assert "ConnectionRefusedError" in the_notice().failed
    assert "imani" not in the_notice().failed


def test_somebody_without_an_address_reads_it_on_the_page(mailing: Flask, sink: Sink) -> None:
    boss, person = make_person("Greta Halden"), make_person("Imani Okafor", email=None)
    nudge(boss, person.id, ["First 30 days"])
    db.session.commit()
    mail_waiting()
    assert sink.taken == []
    assert the_notice().mailing == Mailing.NONE


def test_without_a_mail_server_notices_wait(app: Flask) -> None:
    a_nudge()
    mail_waiting()
    assert the_notice().mailing == Mailing.WAITING
    assert the_notice().mail_tries == 0


def test_no_header_can_be_smuggled_in(mailing: Flask, sink: Sink) -> None:
    boss, person = make_person("Greta Halden"), make_person("Imani Okafor")
    nudge(boss, person.id, ["Hello\r\nBcc: everybody@example.test"])
    db.session.commit()
    mail_waiting()
    ((recipients, mail),) = sink.taken
    assert mail["Bcc"] is None
    assert len(recipients) == 1
