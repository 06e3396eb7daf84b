"""What every test of the standard may use."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.xapi.lrs import Provider


@pytest.fixture
def lrs(app: Flask) -> Provider:
    """A system with every right."""
    return Provider(app)
