"""What a password must be: long enough, and not what everybody tries first. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

MIN_CHARS = 10
MAX_CHARS = 200
MIN_DIFFERENT = 5
# What guessing programs begin with; a password that is little more than one of these is refused.
COMMON = (
    "password", "passwort", "passw0rd", "contraseña", "motdepasse", "qwertz", "qwerty", "azerty",
    "asdfgh", "iloveyou", "letmein", "welcome", "willkommen", "bienvenue", "123456", "654321",
    "abc123", "111111", "000000", "summer", "winter", "spring", "autumn", "monday", "admin",
    "football", "dragon", "sunshine", "princess", "changeme", "secret", "ropes",
)  # fmt: skip
LEFT_OVER_CHARS = 4  # what must remain once common words are taken out


def weakness(password: str, about: Iterable[str] = ()) -> str | None:
    """Return why a password will not do (`short`, `long`, `plain` or `known`), or None.

    about: the person's own names and the company's, which others would try (ASVS 6.2.11).
    """
    password = unicodedata.normalize("NFKC", password)
    if len(password) < MIN_CHARS:
        return "short"
    if len(password) > MAX_CHARS:
        return "long"
    if len(set(password)) < MIN_DIFFERENT:
        return "plain"
    lowered = password.lower()
    words = [*COMMON, *(word for text in about for word in text.lower().split() if len(word) > 3)]
    left = lowered
    for word in sorted(words, key=len, reverse=True):
        left = left.replace(word, "")
    return "known" if left != lowered and len(left.strip()) < LEFT_OVER_CHARS else None
