"""An app whose rules are the shipped ones and whose evidence is plain facts."""

from __future__ import annotations

import pytest
from flask import Flask

from certificates.catalogue import load_library
from lms.db import transaction
from tests.certificates.facts import install


@pytest.fixture
def house(app: Flask) -> Flask:
    """The app with facts for evidence and the four shipped certificates published."""
    install(app)
    with transaction():
        load_library()
    return app
