"""Secrets at rest: sealed with keys derived from LMS_SECRET_KEY, one for each purpose.

What is sealed for one purpose cannot be read as another's. Who has the database without the
installation's secret key (a backup, a stolen disk) can read none of it. Fernet: AES-128-CBC and
HMAC-SHA256, with a random nonce.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken
from flask import current_app

from lms.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals and opens the secrets of one purpose.

    purpose: what the key is derived for; changing it makes all that was sealed unreadable.
    broken: the sentence for administrators where a secret was sealed with another LMS_SECRET_KEY.
    """

    purpose: str
    broken: str

    def seal(self, secret: str) -> bytes:
        """Encrypt a secret for the database."""
        return self._box().encrypt(secret.encode())

    def unseal(self, sealed: bytes) -> str:
        """Decrypt; raises Misconfigured where LMS_SECRET_KEY is not the one it was sealed with."""
        try:
            return self._box().decrypt(sealed).decode()
        except InvalidToken as error:
            raise Misconfigured(self.broken) from error

    def _box(self) -> Fernet:
        secret: str = current_app.config["LMS_SECRET_KEY"]
        key = hashlib.sha256(f"{self.purpose}:{secret}".encode()).digest()
        return Fernet(base64.urlsafe_b64encode(key))
