"""What the LRS answers when it does not do what was asked: a status, and a readable sentence."""

from __future__ import annotations

from lms.errors import DomainError


class Refused(DomainError):
    """The request breaks the standard (400); the message names the property or parameter."""

    status = 400


class Unauthorized(Refused):
    """No credential, or not one of ours (401)."""

    status = 401


class Forbidden(Refused):
    """The credential's scope does not reach this far (403)."""

    status = 403


class NoSuchThing(Refused):
    """Nothing is stored under this id (404)."""

    status = 404


class Conflicting(Refused):
    """Another statement, or a document that was not named, is stored under this id (409)."""

    status = 409


class PreconditionFailed(Refused):
    """The document has changed since it was read (412)."""

    status = 412


class Oversized(Refused):
    """More was sent than is taken at once (413)."""

    status = 413
