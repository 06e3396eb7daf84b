"""What a manager asks of the page: scope, filters, order, page; read from an address, and written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from lms.plugin import CellState

SEARCH_MAX_CHARS = 80
FINE = "fine"  # on track or done, and so nothing to do for the manager
HELD = "held"  # holds a certificate
STATES = (
    CellState.OVERDUE,
    CellState.DUE,
    CellState.NOT_STARTED,
    CellState.ON_TRACK,
    CellState.DONE,
)
BY_NEED, BY_NAME, BY_DUE = "need", "name", "due"


class Scope(StrEnum):
    """Whose states are shown."""

    DIRECT = "direct"
    BELOW = "below"
    EVERYONE = "everyone"  # administrators only


@dataclass(frozen=True, slots=True)
class TeamQuery:
    """One wish. `leader` is the uid of somebody below whose people are asked for, or empty.

    `state` is a CellState value, `fine`, `held` or empty; `item` and `sort` name columns.

    sort: `need` (what asks most of the manager first), `name`, `due`, or the slug of a column;
    with a minus before it, the other way round.
    """

    scope: Scope = Scope.DIRECT
    leader: str = ""
    state: str = ""
    unit: str = ""
    item: str = ""
    search: str = ""
    sort: str = BY_NEED
    page: int = 1

    @classmethod
    def read(
        cls, args: Mapping[str, str], scopes: Collection[Scope], items: Collection[str]
    ) -> TeamQuery:
        """Read an address; whatever does not fit is as if it were not there."""
        scope = args.get("scope", "")
        state = args.get("state", "")
        sort = args.get("sort", "")
        item = args.get("item", "")
        first = next(iter(scopes), Scope.DIRECT)
        known = {BY_NEED, BY_NAME, BY_DUE, *items}
        page = args.get("page", "")
        return cls(
            scope=Scope(scope) if scope in {str(one) for one in scopes} else first,
            leader=args.get("leader", "")[:40],
            state=state if state in {FINE, HELD, *map(str, STATES)} else "",
            unit=args.get("unit", "")[:40],
            item=item if item in items else "",
            search=args.get("search", "").strip()[:SEARCH_MAX_CHARS],
            sort=sort if sort.removeprefix("-") in known else BY_NEED,
            page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
        )

    def changed(self, **changes: Any) -> TeamQuery:
        """Return the same wish with something changed, from its first page on."""
        return replace(self, **{"page": 1, **changes})

    def sorted_by(self, key: str) -> TeamQuery:
        """Return the wish sorted by `key`, or the other way round where it is already."""
        return self.changed(sort=f"-{key}" if self.sort == key else key)

    def args(self) -> dict[str, Any]:
        """Return the wish as arguments of an address, defaults left out (but for the scope)."""
        found: dict[str, Any] = {"scope": str(self.scope)}
        for name in ("leader", "state", "unit", "item", "search"):
            if getattr(self, name):
                found[name] = getattr(self, name)
        if self.sort != BY_NEED:
            found["sort"] = self.sort
        if self.page > 1:
            found["page"] = self.page
        return found

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the table."""
        return bool(self.state or self.unit or self.item or self.search)
