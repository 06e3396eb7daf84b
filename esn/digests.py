"""Keyed digests: equal ids stay equal, and nothing can be looked up backwards without our key."""

from __future__ import annotations

import hashlib

from flask import current_app


def digest(purpose: str, *parts: str) -> str:
    """Return 32 hex digits (128 bits) for an external id; BLAKE2b keyed with the secret key.

    purpose and parts keep ids of different kinds and networks apart.
    """
    key = hashlib.blake2b(current_app.config["LMS_SECRET_KEY"].encode(), digest_size=32).digest()
    text = "\x1f".join((purpose, *parts)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16, key=key, person=b"ropes-esn").hexdigest()


def address_digest(address: str) -> str:
    """Return the digest under which an e-mail address is matched, case folded."""
    return digest("match", "email", address.strip().casefold())


def employee_digest(number: str) -> str:
    """Return the digest under which an employee number is matched."""
    return digest("match", "employee", number.strip())
