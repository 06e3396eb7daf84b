"""What is done to certificates, as the audit log says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from lms.plugin import Subject

ACTS: Mapping[str, Any] = {
    "certificates.rule.published": _l("Rule of a certificate published"),
    "certificates.retired": _l("Certificate no longer offered"),
    "certificates.offered_again": _l("Certificate offered again"),
    "certificates.revoked": _l("Somebody’s certificate revoked"),
}

SUBJECTS = (
    Subject("certificate", _l("Certificate")),
    Subject("award", _l("Somebody’s certificate")),
)
