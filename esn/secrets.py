"""Secrets of connectors: made here, sealed at rest."""

from __future__ import annotations

import secrets

from lms.encryption import Seal

SECRET_BYTES = 32

_connectors = Seal(
    "esn.secrets",
    "A network's secret cannot be read: LMS_SECRET_KEY has changed since it was stored. "
    "Give the connector a new secret.",
)
seal = _connectors.seal
unseal = _connectors.unseal


def new_secret() -> str:
    """Return a new random secret of 256 bits, as text that is easy to paste."""
    return secrets.token_urlsafe(SECRET_BYTES)
