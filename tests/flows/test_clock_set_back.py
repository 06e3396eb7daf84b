"""The clock ran ahead by more than a year and was set back: nothing is good, or waits, for that long."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from certificates import documents, evaluation
from certificates.models import Document, DocumentState, Sweep
from esn.connectors.services import add_connector, rotate_secret
from lms import clock
from lms.db import db, transaction
from lms.errors import Gone
from lms.jobs.queue import run_pending
from lms.mail.smtp import Answer, Letter, Line, Outcome
from lms.notices import mailing
from lms.notices.models import Notice
from lms.people import codes, joining
from lms.people.models import SignInCode
from lms.teams.nudges import nudge
from tests.certificates import facts
from tests.certificates.conftest import house
from tests.factories.people import make_person
from xapi.keeping import retention
from xapi.keeping.models import Retention
from xapi.lrs import credentials

__all__ = ["house"]
AHEAD = dt.timedelta(days=500)
Holds = Callable[[], bool]


def an_old_secret_of_a_record_store() -> Holds:
    made, _secret = credentials.add("Simulator", ("all",))
    credentials.rotate(made.key)
    return lambda: credentials.old_works(made)


def an_old_secret_of_a_network() -> Holds:
    connector, _secret = add_connector("webhook", "Events")
    rotate_secret(connector)
    return lambda: len(connector.good_secrets) == 2


def a_link_to_join() -> Holds:
    token = joining.token_of(joining.make_link(make_person(), days=90, most_uses=5))

    def works() -> bool:
        try:
            joining.get_link(token)
        except Gone:
            return False
        return True

    return works


def a_link_to_sign_in() -> Holds:
    make_person(email="imani@example.test")
    codes.ask("imani@example.test")
    made = db.session.scalars(select(SignInCode)).one()
    made.link_hash = codes._link_hash("token")
    return lambda: codes.find_link("token") is not None


def a_code_to_sign_in() -> Holds:
    make_person(email="imani@example.test")
    uid = codes.ask("imani@example.test")
    made = db.session.scalars(select(SignInCode)).one()
    return lambda: codes.redeem_code(uid, "no code") is None and made.tries > 0


@pytest.mark.parametrize(
    "make",
    [
        an_old_secret_of_a_record_store,
        an_old_secret_of_a_network,
        a_link_to_join,
        a_link_to_sign_in,
        a_code_to_sign_in,
    ],
)
def test_what_opens_a_door_for_a_while_does_not_open_it_for_years(
    app: Flask, make: Callable[[], Holds]
) -> None:
    with clock.travel(clock.now() + AHEAD):
        holds = make()
        db.session.flush()
        assert holds()
    for code in db.session.scalars(select(SignInCode)):
        code.tries = 0
    db.session.flush()
    assert not holds()


def test_codes_from_then_are_swept_out(app: Flask) -> None:
    with clock.travel(clock.now() + AHEAD):
        a_code_to_sign_in()
        db.session.commit()
    codes.send_waiting()
    assert db.session.scalar(select(func.count()).select_from(SignInCode)) == 0


def test_mail_that_failed_then_is_tried_now(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def refuse(_line: Line, _letter: Letter) -> Answer:
        return Answer(Outcome.LATER, 450, "not now")

    def take(_line: Line, letter: Letter) -> Answer:
        sent.append(letter.address)
        return Answer(Outcome.ACCEPTED, 250, "")

    with make_app(LMS_MAIL_SERVER="127.0.0.1").app_context():
        boss, person = make_person(), make_person(email="p@example.test")
        monkeypatch.setattr(Line, "send", refuse)
        with clock.travel(clock.now() + AHEAD):
            nudge(boss, person.id, ["First 30 days"])
            db.session.commit()
            run_pending()
        assert db.session.scalars(select(Notice.next_try_at)).one() > clock.now()
        monkeypatch.setattr(Line, "send", take)
        mailing.mail_waiting()
    assert sent == ["p@example.test"]


def test_a_certificate_that_could_not_be_printed_then_is_printed_now(
    house: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.travel(clock.now() + AHEAD), monkeypatch.context() as patch:
        patch.setattr("certificates.rendering.pdf.render", lambda *_: 1 / 0)
        facts.earn_connected(make_person())
        run_pending()
    document = db.session.scalars(select(Document)).one()
    assert document.state == DocumentState.WAITING.value
    assert document.due_at > clock.now()
    house.extensions["lms.jobs"].run(documents.RENDER)
    db.session.refresh(document)
    assert document.state == DocumentState.READY.value


def test_the_sweep_of_tonight_is_asked_for(house: Flask) -> None:
    night = dt.datetime(2026, 11, 24, 3, 0, tzinfo=dt.UTC)
    with clock.travel(night + AHEAD):
        evaluation.run()
    with transaction() as session:
        session.execute(update(Sweep).values(finished_at=night))
    before = db.session.scalar(select(func.count()).select_from(Sweep))
    with clock.travel(night):
        evaluation.run()
        evaluation.run()
    assert db.session.scalar(select(func.count()).select_from(Sweep)) == (before or 0) + 1


def test_retention_goes_on(app: Flask) -> None:
    with clock.travel(clock.now() + AHEAD):
        retention.work()
    retention.work()
    looked_at = db.session.get_one(Retention, 1).looked_at
    assert looked_at is not None
    assert looked_at <= clock.now()
