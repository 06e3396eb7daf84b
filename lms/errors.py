"""Errors in the words of the domain, and the one place that maps them to a status.

A service raises a subclass of `DomainError` with a whole sentence for the person who caused it:
what is wrong, what was kept, what to do. `lms.app` turns it into a page or, for machines, into
JSON; the transaction is rolled back.

The sentence is written in English where it is raised, with the values in it as arguments, and
translated where it is shown:

    raise Conflict("A course named “%(slug)s” is here already.", slug=slug)

The English sentence is the code of the error: catalogues of translations know it by that, logs and
the command line say it as it is (`str(error)`), pages show it in the reader's language
(`error.message`).
"""

from __future__ import annotations

import json
from typing import Any

from flask_babel import format_number
from flask_babel import gettext as _

from lms.written import isolate


class Sentence(str):
    """A sentence for people: its English text, which knows how to be said in other languages.

    template: English, with a place such as `%(name)s` for each argument. An argument that is a
    Sentence itself ("a whole number") is translated as well; a number is written as the reader
    writes numbers.
    """

    __slots__ = ("arguments", "template")
    template: str
    arguments: dict[str, Any]

    def __new__(cls, template: str, /, **arguments: Any) -> Sentence:
        """Keep the parts beside the English whole."""
        made = super().__new__(cls, template % arguments if arguments else template)
        made.template, made.arguments = template, arguments
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        """Say how it is copied and pickled."""
        return (self.template,), self.arguments

    def shown(self) -> str:
        """Return it in the language of the present reader."""
        if not self.arguments:
            return str(_(self.template)) if self.template else ""
        return str(_(self.template) % {name: _said(one) for name, one in self.arguments.items()})


class _Figure(int):
    """A number that `%(name)s` writes as the reader does, and `%(name)d` in plain figures."""

    def __str__(self) -> str:
        return str(format_number(int(self)))


def _said(argument: Any) -> Any:
    if isinstance(argument, Sentence):
        return argument.shown()
    if type(argument) is int:
        return _Figure(argument)
    return isolate(argument) if isinstance(argument, str) else argument


def shown(text: object) -> str:
    """Return a sentence in the language of the present reader; any other text as it is."""
    return text.shown() if isinstance(text, Sentence) else str(text)


def kept(sentence: str) -> str:
    """Return a sentence as a row keeps it; `from_kept` reads it, in whatever language."""
    if not isinstance(sentence, Sentence) or not sentence.arguments:
        return str(sentence)
    return json.dumps([sentence.template, sentence.arguments], ensure_ascii=False, default=str)


def from_kept(text: str) -> Sentence:
    """Return the sentence that a row keeps."""
    if not text.startswith('["'):
        return Sentence(text)
    template, arguments = json.loads(text)
    return Sentence(template, **arguments)


class ForMachines(str):
    """What a program is answered, or somebody reads who sets one up: English, never translated."""

    __slots__ = ()


class DomainError(Exception):
    """Something the caller did cannot be done. `status` is the HTTP status it maps to.

    template, arguments: as of `Sentence`. field: the form field that the sentence is about, by
    name, where it is about one.
    """

    status = 400

    def __init__(self, template: str, /, field: str = "", **arguments: Any) -> None:
        plain = isinstance(template, Sentence | ForMachines)
        self.sentence = template if plain else Sentence(template, **arguments)
        super().__init__(str(self.sentence))
        self.field = field

    @property
    def message(self) -> str:
        """The sentence in the language of the present reader."""
        return shown(self.sentence)


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
