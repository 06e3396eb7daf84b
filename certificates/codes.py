"""Codes by which anybody may check a certificate: unguessable, and fit to be typed from paper."""

from __future__ import annotations

import hashlib
import secrets

# Crockford's base 32: no I, L, O or U, so that a code read from paper is read right.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_CHARS = 28  # 5 bits each: 140 bits from the system's random source
GROUP_CHARS = 4
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


def new_code() -> str:
    """Return a new code, without grouping."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARS))


def grouped(code: str) -> str:
    """Return a code as people read it: groups of four."""
    return "-".join(code[at : at + GROUP_CHARS] for at in range(0, len(code), GROUP_CHARS))


def normalise(typed: str) -> str | None:
    """Return the code somebody typed, or None where it cannot be one.

    Case, spaces and hyphens do not matter; O is read as 0, I and L as 1.
    """
    if len(typed) > 4 * CODE_CHARS:
        return None
    letters = "".join(typed.upper().split()).replace("-", "").translate(_READ_AS)
    if len(letters) != CODE_CHARS or any(letter not in ALPHABET for letter in letters):
        return None
    return letters


def digest(code: str) -> str:
    """Return the SHA-256 of a code: what it is looked up by."""
    return hashlib.sha256(code.encode()).hexdigest()
