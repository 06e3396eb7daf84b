"""Errors in the words of the domain, and the one place that maps them to a status.

A service raises a subclass of `DomainError` whose message is a whole sentence for the person who
caused it: what is wrong, what was kept, what to do. `lms.app` turns it into a page or, for
machines, into JSON; the transaction is rolled back.
"""

from __future__ import annotations


class DomainError(Exception):
    """Something the caller did cannot be done. `status` is the HTTP status it maps to.

    field: the form field that the sentence is about, by name, where it is about one.
    """

    status = 400

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Invalid(DomainError):
    """The request is understood, and a value in it is wrong (422)."""

    status = 422


class NotSignedIn(DomainError):
    """A script asked for what needs a sign-in, and nobody is signed in (401)."""

    status = 401


class NotFound(DomainError):
    """There is no such thing, or it is none of the caller's business (404): never say which."""

    status = 404


class NotAllowed(DomainError):
    """The caller may know that the thing is there, and may not do this with it (403)."""

    status = 403


class Conflict(DomainError):
    """The thing has changed, or exists already (409)."""

    status = 409


class Gone(DomainError):
    """It was there, and its time is over: an expired link, a revoked invitation (410)."""

    status = 410


class TooLarge(DomainError):
    """More was sent than is taken (413)."""

    status = 413


class TooMany(DomainError):
    """Too many tries; wait (429)."""

    status = 429


class Unavailable(DomainError):
    """A part that is needed does not answer just now (503)."""

    status = 503


class Misconfigured(Exception):
    """The installation cannot start as it is set up; the message says what to change."""
