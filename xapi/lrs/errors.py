"""What the LRS answers when it does not do what was asked: a status, and a readable sentence."""

from __future__ import annotations

from lms.errors import DomainError, ForMachines

SENTENCE_MOST = 600  # characters: what a stranger wrote is quoted, and never given back whole
NAME_SHOWN = 80  # characters of a property's name


def shown(key: str) -> str:
    """Return a property's name as a sentence shows it: printable, and not without end."""
    plain = key if key.isprintable() else key.encode("unicode_escape").decode()
    return plain if len(plain) <= NAME_SHOWN else plain[: NAME_SHOWN - 1] + "…"


class Refused(DomainError):
    """The request breaks the standard (400); the message names the property or parameter."""

    status = 400

    def __init__(self, message: str, field: str = "") -> None:
        whole = len(message) <= SENTENCE_MOST
        said = message if whole else message[: SENTENCE_MOST - 1] + "…"
        super().__init__(ForMachines(said), field)


class Unauthorized(Refused):
    """No credential, or not one of ours (401)."""

    status = 401


class TooManyWrong(Refused):
    """Too many wrong keys came from one place, or for one key (429)."""

    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(
            "Too many requests with a wrong key or secret came from here, or for this key. Check "
            f"both, and try again in {seconds} seconds. A right one is taken at once."
        )
        self.seconds = seconds


class Forbidden(Refused):
    """The credential's scope does not reach this far (403)."""

    status = 403


class NoSuchThing(Refused):
    """Nothing is stored under this id (404)."""

    status = 404


class Conflicting(Refused):
    """Another statement, or a document that was not named, is stored under this id (409)."""

    status = 409


class LengthRequired(Refused):
    """It must be said before how long the body is (411)."""

    status = 411


class PreconditionFailed(Refused):
    """The document has changed since it was read (412)."""

    status = 412


class Oversized(Refused):
    """More was sent than is taken at once (413)."""

    status = 413


class UnknownForm(Refused):
    """The body is written in a way that is not read here (415)."""

    status = 415
