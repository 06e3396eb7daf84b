"""Secrets that record stores want of us, sealed at rest with a key derived from LMS_SECRET_KEY."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from flask import current_app

from lms.errors import Misconfigured


def seal(secret: str) -> bytes:
    """Encrypt a secret for the database."""
    return _box().encrypt(secret.encode())


def unseal(sealed: bytes) -> str:
    """Decrypt; raises Misconfigured where LMS_SECRET_KEY is not the one it was sealed with."""
    try:
        return _box().decrypt(sealed).decode()
    except InvalidToken as error:
        raise Misconfigured(
            "The secret of this record store cannot be read: LMS_SECRET_KEY has changed since. "
            "Type the secret in again."
        ) from error


def _box() -> Fernet:
    key = hashlib.sha256(b"xapi.sealed:" + current_app.config["LMS_SECRET_KEY"].encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
