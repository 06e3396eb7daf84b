"""Each mail stands for itself; what may have gone out is not sent again at once; nobody waits long."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from lms import clock
from lms.db import db, transaction
from lms.mail import sender, smtp
from lms.mail.rows import CLAIM_SECONDS, Mailing, database_now
from lms.mail.trouble import MailTrouble, check_trouble, server_trouble
from lms.people import codes, services
from lms.people.codes import ask, send_waiting
from lms.people.models import Person, SignInCode
from tests.factories.people import make_person
from tests.lms.mail.conftest import NOW
from tests.mailboxes import Sink, silent_server

pytestmark = pytest.mark.network


def people(count: int) -> list[Person]:
    """People, each of whom has just asked for a code."""
    made = [make_person(f"Person {n}", email=f"p{n}@halden.test") for n in range(count)]
    for n in range(count):
        ask(f"p{n}@halden.test")
    db.session.commit()
    return made


def states() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(SignInCode.mailing).order_by(SignInCode.id)))


def later(seconds: float) -> None:
    with clock.travel(NOW + dt.timedelta(seconds=seconds)):
        send_waiting()


def test_an_address_that_is_refused_holds_up_nobody(
    app: Flask, sink: Sink, sign_in: Callable[[Person], FlaskClient]
) -> None:
    made = people(4)
    sink.refuse = {"p0@halden.test": "550 nobody of that name", "p1@halden.test": "450 not now"}
    send_waiting()
    assert sink.receivers() == ["p2@halden.test", "p3@halden.test"]
    assert states() == ["failed", "waiting", "sent", "sent"]
    said = check_trouble() or ""
    assert "Mail to one person is refused" in said
    assert "550" in said
    assert "@" not in said
    boss = make_person("Leila Haddad", is_administrator=True)
    page = sign_in(boss).get("/").text
    assert "refuses the address of one person" in page
    assert f'href="/people/{made[0].uid}"' in page
    assert "refuses the address" not in sign_in(made[2]).get("/").text
    services.rename(made[0], "Person 0", "better@halden.test", None)
    db.session.commit()
    assert check_trouble() is None


def test_a_refusal_for_now_is_tried_again_with_growing_patience(app: Flask, sink: Sink) -> None:
    people(1)
    sink.refuse["p0@halden.test"] = "450 come again"
    for seconds in (0, 14, 15, 44, 45, 104):
        later(seconds)
    row = db.session.scalars(select(SignInCode)).one()
    assert row.mail_tries == 3
    assert row.unsent is not None
    assert "450" in (check_trouble() or "")  # three times: that is worth a look
    sink.refuse = {}
    later(106)
    assert states() == ["sent"]
    assert check_trouble() is None


def test_two_workers_send_each_mail_once(app: Flask, sink: Sink) -> None:
    people(21)
    start = threading.Barrier(2)

    def work() -> None:
        with app.app_context():
            start.wait(10)
            send_waiting()
            db.session.remove()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sorted(sink.receivers()) == sorted(f"p{n}@halden.test" for n in range(21))


def test_what_may_have_gone_out_is_sent_once_more_and_not_at_once(app: Flask, sink: Sink) -> None:
    people(1)
    sink.answer = "drop"  # the server has the mail, and its answer is lost
    for seconds in (0, 20, 40, 100):
        later(seconds)
    assert len(sink.heard) == 1
    later(codes.BOX.doubt_seconds)
    assert len(sink.heard) == 2
    later(codes.BOX.doubt_seconds * 3)
    assert len(sink.heard) == 2
    assert states() == ["doubt"]


def test_a_mail_on_which_the_server_hangs_up_does_not_stand_before_the_others(
    app: Flask, sink: Sink
) -> None:
    people(3)
    sink.refuse["p0@halden.test"] = "drop"
    for seconds in (0, 61):
        later(seconds)
    assert set(sink.receivers()) == {"p1@halden.test", "p2@halden.test"}


def test_a_server_that_hangs_is_given_up_and_not_asked_for_each_mail(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(5)
    monkeypatch.setattr(smtp, "ANSWER_SECONDS", 0.2)
    with silent_server() as (port, taken):
        app.config["LMS_MAIL_PORT"] = port
        send_waiting()
        later(1)
        assert len(taken) == 1
        later(6)
        assert len(taken) == 2
    assert states() == ["waiting"] * 5
    rows = db.session.scalars(select(SignInCode)).all()
    assert {row.mail_tries for row in rows} == {0}  # none of them is to blame
    assert "has not taken mail since" in (check_trouble() or "")


def test_a_sender_that_is_refused_is_the_server_s_matter_and_costs_no_mail(
    app: Flask, sink: Sink, sign_in: Callable[[Person], FlaskClient]
) -> None:
    people(2)
    sink.rejects = "530 sign in first"
    for minute in range(6):
        later(minute * 60)
    boss = make_person("Leila Haddad", is_administrator=True)
    with clock.travel(NOW + dt.timedelta(minutes=6)):
        assert "has not taken mail since" in sign_in(boss).get("/").text
    sink.rejects = ""
    later(421)
    assert states() == ["sent", "sent"]
    assert server_trouble() is None


def test_many_mails_take_one_connection(
    app: Flask, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "MAILS_A_CONNECTION", 20)
    people(40)
    sink.refuse["p7@halden.test"] = "550 no"
    send_waiting()
    assert len(sink.taken) == 39
    assert sink.connections == 2


def claim_is_left(until: dt.timedelta) -> None:
    """Leave a claim as a worker does that is killed while it sends."""
    with transaction() as session:
        moment = database_now(session) + until
        session.execute(update(SignInCode).values(claimed_by="dead", claimed_until=moment))


def test_a_worker_killed_while_it_sent_leaves_a_mail_in_doubt(app: Flask, sink: Sink) -> None:
    people(1)
    claim_is_left(dt.timedelta(seconds=CLAIM_SECONDS))
    send_waiting()
    assert sink.heard == []  # somebody may be at it
    claim_is_left(dt.timedelta(seconds=-1))
    send_waiting()
    assert sink.heard == []
    later(codes.BOX.doubt_seconds)
    assert states() == ["sent"]
    assert len(sink.heard) == 1


def test_claims_and_waits_of_a_clock_that_was_set_back_count_for_nothing(
    app: Flask, sink: Sink
) -> None:
    people(2)
    claim_is_left(dt.timedelta(days=400))
    send_waiting()
    with transaction() as session:
        session.execute(update(SignInCode).values(next_try_at=NOW + dt.timedelta(days=400)))
        session.add(
            MailTrouble(
                key="server",
                since=NOW,
                last_at=NOW + dt.timedelta(days=400),
                times=9,
                code=0,
                fault="",
            )
        )
    send_waiting()
    assert states() == ["sent", "sent"]


def test_a_mail_that_cannot_be_written_holds_up_no_other(
    app: Flask, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_others = people(3)

    def letter(row: SignInCode) -> smtp.Letter | None:
        if row.person_id == first.id:
            raise KeyError("a template")
        return codes._letter(row)

    box = sender.Box(
        **{**{f: getattr(codes.BOX, f) for f in codes.BOX.__slots__}, "letter": letter}
    )
    sender.drain(box)
    assert len(sink.taken) == 2
    assert check_trouble() is None  # no address is to blame


@pytest.mark.parametrize("address", ["ü@halden.test", "a b@halden.test", "x", "a@b.test, c@d.test"])
def test_an_address_that_cannot_be_holds_up_no_other(app: Flask, sink: Sink, address: str) -> None:
    first, _other = people(2)
    assert first.identity is not None
    first.identity.email = address
    db.session.commit()
    send_waiting()
    assert "p1@halden.test" in sink.receivers()
    assert states()[1] == Mailing.SENT
    assert "c@d.test" not in sink.receivers()


def test_a_mail_says_where_it_is_from(app: Flask, sink: Sink) -> None:
    people(1)
    send_waiting()
    ((_receivers, mail),) = sink.taken
    assert mail["Message-ID"].endswith("@learn.halden.test>")
    row = db.session.scalars(select(SignInCode)).one()
    assert row.uid not in mail["Message-ID"]  # the browser proves itself by it
    assert row.unsent is None
    html = mail.get_body(("html",))
    text = mail.get_body(("plain",))
    assert html is not None
    assert text is not None
    code = mail["Subject"].removeprefix("Your code: ")
    assert code in html.get_content()
    assert code in text.get_content()
    assert mail["List-Unsubscribe"] is None  # a code cannot be stopped
