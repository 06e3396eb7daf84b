"""An outage is told apart from a fault of ours, said once, counted, and said to be over."""

from __future__ import annotations

import logging

import psycopg
import pytest
import redis
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, TimeoutError

from lms import outage
from lms.outage import DATABASE, QUEUE, Outages, SaidOnce, is_outage, what_is_away

GONE = OperationalError("SELECT 1", None, psycopg.OperationalError("server closed the connection"))


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (GONE, True),
        (
            InterfaceError("SELECT 1", None, psycopg.InterfaceError("the connection is closed")),
            True,
        ),
        (TimeoutError("QueuePool limit reached"), True),
        (OperationalError("SELECT 1", None, psycopg.errors.QueryCanceled("too long")), True),
        (OperationalError("COMMIT", None, psycopg.errors.AdminShutdown("going")), True),
        (IntegrityError("INSERT", None, psycopg.errors.UniqueViolation("twice")), False),
        (ValueError("a fault of ours"), False),
    ],
)
def test_what_is_an_outage(error: Exception, away: bool) -> None:
    assert is_outage(error) is away


def test_what_is_away_is_found_behind_other_errors() -> None:
    wrapped = RuntimeError("a template broke")
    wrapped.__cause__ = GONE
    assert what_is_away(wrapped) == DATABASE
    assert what_is_away(psycopg.OperationalError("refused")) == DATABASE
    assert what_is_away(redis.exceptions.TimeoutError("hung")) == QUEUE
    assert what_is_away(RuntimeError("no")) is None


def test_a_restart_is_three_lines_however_often_it_is_met(caplog: pytest.LogCaptureFixture) -> None:
    moment = 0.0
    noted = Outages(lambda: moment)
    for second in range(67):
        moment = float(second)
        for _ in range(1000):
            noted.failed(DATABASE, GONE)
    noted.well(DATABASE)  # one answer in the middle of it ends nothing
    moment = 100.0
    noted.well(DATABASE)
    noted.well(DATABASE)
    assert [record.getMessage() for record in caplog.records] == [
        "the database does not answer (OperationalError: OperationalError); "
        "told once, then counted",
        "the database still does not answer after 60 s; 60,001 failures "
        "(OperationalError: OperationalError)",
        "the database answers again; it was away for 66 s, 67,000 failures",
    ]


def test_traces_of_an_outage_stay_out_of_the_log_and_others_do_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outage, "outages", Outages())
    caplog.handler.addFilter(SaidOnce())
    library = logging.getLogger("sqlalchemy.pool")
    for error in (GONE, ZeroDivisionError("ours")):
        for _ in range(20):
            try:
                raise error
            except Exception:
                library.exception("Exception during reset or similar")
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 21
    assert said[0].startswith("the database does not answer")
