"""An app with a mail server beside it that does as it is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from lms import clock
from lms.db import db
from tests.mailboxes import Sink, mail_server

NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with mail_server() as made:
        yield made


@pytest.fixture
def app(make_app: Callable[..., Flask], sink: Sink) -> Iterator[Flask]:
    made = make_app(
        LMS_MAIL_SERVER="127.0.0.1",
        LMS_MAIL_PORT=sink.port,
        LMS_BASE_URL="https://learn.halden.test",
        LMS_PLUGINS=("none",),
    )
    with made.app_context(), clock.travel(NOW):
        yield made
        db.session.rollback()
