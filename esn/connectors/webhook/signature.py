"""The webhook's signature: HMAC-SHA256 over the timestamp, a full stop and the raw body."""

from __future__ import annotations

import hashlib
import hmac

VERSION = "v1"
REPLAY_WINDOW_SECONDS = 300


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the value of the header X-Ropes-Signature."""
    mac = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"{VERSION}={mac.hexdigest()}"


def is_fresh(timestamp: str, now: float) -> bool:
    """Whether a timestamp (unix seconds, digits only) is within the replay window of `now`."""
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    return abs(now - int(timestamp)) <= REPLAY_WINDOW_SECONDS


def matches(signature: str, secret: str, timestamp: str, body: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(signature.encode(), sign(secret, timestamp, body).encode())
