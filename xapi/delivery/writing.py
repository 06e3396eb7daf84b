"""How delivery reads and writes: briefly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

from lms.db import db, writing


@contextmanager
def reading() -> Iterator[None]:
    """Read in a transaction that takes no lock, and is over at once."""
    db.session.rollback()
    with writing(False):
        try:
            yield
        finally:
            db.session.rollback()


def upsert(model: Any, keys: Sequence[str], changed: Sequence[str] = ()) -> Any:
    """Return an INSERT that changes these columns of a row that is there, or leaves it alone."""
    dialect: Any = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(model)
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=keys)
    return statement.on_conflict_do_update(
        index_elements=keys, set_={name: getattr(statement.excluded, name) for name in changed}
    )
