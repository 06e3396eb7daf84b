"""Secrets of connectors, sealed at rest with a key derived from LMS_SECRET_KEY."""

from __future__ import annotations

import base64
import hashlib
import secrets

from cryptography.fernet import Fernet, InvalidToken
from flask import current_app

from lms.errors import Misconfigured

SECRET_BYTES = 32


def new_secret() -> str:
    """Return a new random secret of 256 bits, as text that is easy to paste."""
    return secrets.token_urlsafe(SECRET_BYTES)


def seal(secret: str) -> bytes:
    """Encrypt a secret for the database."""
    return _box().encrypt(secret.encode())


def unseal(sealed: bytes) -> str:
    """Decrypt; raises Misconfigured where LMS_SECRET_KEY is not the one it was sealed with."""
    try:
        return _box().decrypt(sealed).decode()
    except InvalidToken as error:
        raise Misconfigured(
            "A network's secret cannot be read: LMS_SECRET_KEY has changed since it was stored. "
            "Give the connector a new secret."
        ) from error


def _box() -> Fernet:
    key = hashlib.sha256(b"esn.secrets:" + current_app.config["LMS_SECRET_KEY"].encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
