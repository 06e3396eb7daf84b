"""What every test of the standard may use."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from lms.db import db
from tests.xapi.lrs import Provider


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """A record store alone: quicker made than one with courses and all."""
    made = make_app(LMS_PLUGINS=("xapi",))
    with made.app_context():
        yield made
        db.session.rollback()


@pytest.fixture
def lrs(app: Flask) -> Provider:
    """A system with every right."""
    return Provider(app)
