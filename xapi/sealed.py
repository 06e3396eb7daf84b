"""Secrets that record stores want of us, sealed at rest."""

from __future__ import annotations

from lms.encryption import Seal

_stores = Seal(
    "xapi.sealed",
    "The secret of this record store cannot be read: LMS_SECRET_KEY has changed since. "
    "Type the secret in again.",
)
seal = _stores.seal
unseal = _stores.unseal
