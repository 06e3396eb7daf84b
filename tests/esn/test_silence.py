"""A network that is silent when it should not be is said to be so, with where to look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from esn.connectors.silence import Heard, Silence, judge
from esn.connectors.status import Health, check_networks, status_of
from esn.models import Connector
from lms import clock
from lms.db import db
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests.factories.esn import act, deliver, make_connector
from tests.factories.people import make_person

NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)


def ago(**length: float) -> dt.datetime:
    return NOW - dt.timedelta(**length)


@pytest.mark.parametrize(
    ("since", "last", "longest_days", "what"),
    [
        (ago(hours=1), None, 0, Silence.NEW),
        (ago(hours=25), None, 0, Silence.NEVER_HEARD),
        (ago(days=90), ago(hours=3), 0, Silence.NONE),
        (ago(days=90), ago(days=3.9), 0, Silence.NONE),  # a long weekend
        (ago(days=90), ago(days=4.1), 0, Silence.LONGER_THAN_EVER),
        (ago(days=90), ago(days=14), 10, Silence.NONE),  # the company closes for Christmas
        (ago(days=90), ago(days=16), 10, Silence.LONGER_THAN_EVER),
        (ago(days=-2), ago(days=-1), 0, Silence.NONE),  # the clock was set back
    ],
)
def test_what_silence_means(
    since: dt.datetime, last: dt.datetime | None, longest_days: int, what: Silence
) -> None:
    assert judge(Heard(since, last, longest_days * 86_400), NOW) is what


def sentence_in(days: float, connector: Connector) -> tuple[Health, str]:
    with clock.travel(clock.now() + dt.timedelta(days=days)):
        db.session.refresh(connector)
        status = status_of(connector)
        return status.health, status.sentence


def test_one_that_never_sent_anything_is_looked_into(app: Flask) -> None:
    connector, _secret = make_connector()
    assert sentence_in(0.5, connector) == (Health.NEW, "Nothing has arrived yet.")
    health, sentence = sentence_in(3, connector)
    assert health is Health.NEEDS_YOU
    assert sentence.startswith("Nothing has arrived since it was connected, 3 days ago. On the sen")
    with clock.travel(clock.now() + dt.timedelta(days=3)):
        assert "3 days ago" in (check_networks() or "")


def test_one_that_is_silent_longer_than_ever_is_looked_into(
    app: Flask, client: FlaskClient
) -> None:
    connector, secret = make_connector()
    for day in (0, 6):  # its longest silence
        with clock.travel(clock.now() + dt.timedelta(days=day)):
            assert deliver(client, connector, secret, [act(f"u{day}")]).status_code == 202
            run_pending()
    assert sentence_in(6 + 8, connector)[0] is Health.WELL
    health, sentence = sentence_in(6 + 10, connector)
    assert health is Health.NEEDS_YOU
    assert sentence.startswith("Nothing has arrived for 10 days; it was never silent so long.")


def test_what_arrives_without_an_act_is_not_called_well(app: Flask, client: FlaskClient) -> None:
    connector, secret = make_connector()
    with clock.travel(clock.now() + dt.timedelta(days=2)):
        sent = deliver(client, connector, secret, accounts=[{"id": "u1", "email": "u1@e.test"}])
        assert sent.status_code == 202
        run_pending()
        health, sentence = sentence_in(0, connector)
    assert health is Health.NEEDS_YOU
    assert "no act of anybody was in it" in sentence


def test_trouble_is_read_in_the_language_of_who_reads_it(
    app: Flask, sign_in: Callable[[Person], FlaskClient]
) -> None:
    """It is noted by a job, for nobody in particular."""
    connector, _secret = make_connector()
    connector.trouble = "The network is not there.\nNothing has arrived yet."
    desk = sign_in(make_person("Jonas Brandt", is_administrator=True, language="de"))
    db.session.commit()
    page = desk.get(f"/esn/connectors/{connector.uid}").text
    assert "The network is not there. Es ist noch nichts" in page
