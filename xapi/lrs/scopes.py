"""What a credential may do: the standard's own words for scopes (xAPI 1.0.3, Communication 4.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

# Those that we serve.
ALL = "all"
READ_ALL = "all/read"
STATEMENTS_WRITE = "statements/write"
STATEMENTS_READ = "statements/read"
STATEMENTS_OWN = "statements/read/mine"
STATE = "state"
PROFILE = "profile"
DEFINE = "define"
SCOPES = (ALL, READ_ALL, STATEMENTS_READ, STATEMENTS_OWN, STATEMENTS_WRITE, STATE, PROFILE, DEFINE)
# What a system that sends statements needs: to send them, and to look at what it sent.
USUAL = (STATEMENTS_WRITE, STATEMENTS_OWN, DEFINE)

IN_WORDS: Mapping[str, Any] = {
    ALL: _l("Everything: read, store, void, and keep documents"),
    READ_ALL: _l("Read everything"),
    STATEMENTS_READ: _l("Read all statements, and ask about agents and activities"),
    STATEMENTS_OWN: _l("Read the statements that it stored itself"),
    STATEMENTS_WRITE: _l("Store statements; it cannot void any"),
    STATE: _l("Read and change states: where a learner left off"),
    PROFILE: _l("Read and change profiles, and ask about agents and activities"),
    DEFINE: _l("Say what activities and people are called: its statements change what is known"),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is talking to the LRS; `uid` also names it as the authority of what it stores.

    origins: of other sites whose pages may show this credential, as browsers write them.
    """

    uid: str
    scopes: frozenset[str]
    version: int = 1  # major; in which a call of its that names none is answered
    origins: frozenset[str] = frozenset()

    @property
    def may_write(self) -> bool:
        """Whether it may store statements."""
        return bool(self.scopes & {ALL, STATEMENTS_WRITE})

    @property
    def may_read(self) -> bool:
        """Whether it may read statements at all."""
        return bool(self.scopes & {ALL, READ_ALL, STATEMENTS_READ, STATEMENTS_OWN})

    @property
    def only_own(self) -> bool:
        """Whether it reads only what it stored itself."""
        return not self.scopes & {ALL, READ_ALL, STATEMENTS_READ}

    @property
    def may_know(self) -> bool:
        """Whether it may ask what is known of an agent or activity, whoever told it."""
        return bool(self.scopes & {ALL, READ_ALL, STATEMENTS_READ, PROFILE})

    def may_keep(self, scope: str, reading: bool) -> bool:
        """Whether it may read, or change, the documents of a scope (STATE or PROFILE)."""
        return bool(self.scopes & ({ALL, scope, READ_ALL} if reading else {ALL, scope}))

    @property
    def may_define(self) -> bool:
        """Whether names and definitions in its statements change what is known to all."""
        return bool(self.scopes & {ALL, DEFINE})

    @property
    def may_void(self) -> bool:
        """Whether it may void statements: nothing less than all."""
        return ALL in self.scopes
