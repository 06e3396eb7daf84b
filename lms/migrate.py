"""Migrations: one Alembic branch for each package, labelled by its name.

Revision ids are explicit and carry the package's name (`courses_0002`). `upgrade` brings the
kernel's branch up first, then each package's after those that it requires; so revisions need no
`depends_on`, and must not have one: the version table then holds exactly one row for each branch,
and a package that is switched off, or taken away, leaves its row and its tables in peace.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import column, inspect, select, table, text

from lms.db import db, writing
from lms.errors import Misconfigured
from lms.plugin import Plugin

KERNEL_BRANCH = Path(__file__).parent / "migrations"
ENVIRONMENT = Path(__file__).parent / "migrations" / "environment"
KERNEL = "lms"
VERSIONS = table("alembic_version", column("version_num"))
# Any number that nothing else in the database uses.
ADVISORY_LOCK = 7_041_776


def branches() -> dict[str, Path]:
    """Return the folders of the present app's branches by label, requirements first."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    return {KERNEL: KERNEL_BRANCH} | {
        part.name: part.migrations for part in parts if part.migrations is not None
    }


def alembic_config() -> Config:
    """Return Alembic's configuration for the enabled parts of the present app."""
    config = Config()
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("path_separator", "newline")
    config.set_main_option(
        "version_locations", "\n".join(str(folder) for folder in branches().values())
    )
    return config


def scripts() -> ScriptDirectory:
    """Return the revisions that the code has; read once for each app, since code does not change.

    Only branches that have a revision count: a new package may have none yet.
    """
    found: ScriptDirectory | None = current_app.extensions.get("lms.migrations")
    if found is None:
        found = ScriptDirectory.from_config(alembic_config())
        current_app.extensions["lms.migrations"] = found
    return found


def upgrade() -> None:
    """Bring the database to the newest revision of every enabled branch.

    Each revision is a transaction of its own: killed at any point, it goes on there when it is run
    again. Two that run at once wait for each other. Raises Misconfigured where the database has
    been used by a newer version of the code.
    """
    db.session.remove()
    with _alone():
        check_not_newer()
        for label in branches():
            if find_head(label) is not None:
                _run(partial(_steps, f"{label}@head"))


@contextmanager
def _alone() -> Iterator[None]:
    """Keep every other upgrade of this database waiting, on whatever machine it runs."""
    if db.engine.dialect.name == "sqlite":
        with (Path(current_app.config["LMS_INSTANCE"]) / "upgrade.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        guard.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
        try:
            yield
        finally:
            guard.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})


def _steps(target: str, heads: tuple[str, ...], _context: MigrationContext) -> list[Any]:
    # Rows of packages that are off or gone are none of ours, and Alembic would not know them.
    return scripts()._upgrade_revs(target, known(heads))  # type: ignore[arg-type]


def _run(steps: Callable[[tuple[str, ...], MigrationContext], list[Any]]) -> None:
    with EnvironmentContext(alembic_config(), scripts(), fn=steps):
        scripts().run_env()


def known(heads: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the database's revisions that the enabled branches have."""
    return tuple(one for one in heads if one in _all_revisions())


def _all_revisions() -> set[str]:
    return {script.revision for script in scripts().walk_revisions()}


def find_head(label: str) -> str | None:
    """Return the newest revision of a branch, or None where it has none."""
    for head in scripts().get_heads():
        if label in scripts().get_revision(head).branch_labels:
            return head
    return None


def current_heads() -> tuple[str, ...]:
    """Return the revisions that the database is at, one for each branch."""
    # Not by Alembic, which builds its table and its statements anew each time: `/healthz` would fill
    # SQLAlchemy's cache of statements with them, and push out those of the pages.
    with writing(False), db.engine.connect() as connection:
        if not inspect(connection).has_table(VERSIONS.name):
            return ()
        return tuple(connection.scalars(select(VERSIONS.c.version_num)))


def is_new() -> bool:
    """Whether nothing has ever been put into the database."""
    return not current_heads()


def pending() -> list[str]:
    """Return the revisions that the code has and the database has not reached, sorted."""
    heads = set(scripts().get_heads())
    at = known(current_heads())
    return sorted(heads - set(at))


def check_not_newer() -> None:
    """Raise Misconfigured where the database has a revision of ours that the code has not."""
    mine = re.compile(rf"({'|'.join(branches())})_\d+")
    newer = [one for one in current_heads() if mine.fullmatch(one) and one not in _all_revisions()]
    if newer:
        raise Misconfigured(
            f"The database has been used by a newer version of Ropes ({', '.join(newer)}). "
            "Install that version, or restore the copy made before."
        )


def draft(part: str, message: str, number: int) -> Path:
    """Write a new revision of one branch from the difference between models and database.

    For developers: the database must be at the newest revision. Returns the new file, which wants
    reading before it is kept. Only tables named `<part>_...` (the kernel: `lms_...`) are taken.
    """
    config = alembic_config()
    folder = branches().get(part)
    if folder is None:
        raise Misconfigured(f"“{part}” is not on, or has no folder of migrations.")
    first = number == 1

    def own_tables(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or (name or "").startswith(f"{part}_")

    def own_objects(thing: object, name: str | None, kind: str, *_rest: object) -> bool:
        return kind != "table" or (name or "").startswith(f"{part}_")

    config.attributes["include_name"] = own_tables
    config.attributes["include_object"] = own_objects
    script = command.revision(
        config,
        message=message,
        autogenerate=True,
        head="base" if first else f"{part}@head",
        splice=first,
        branch_label=part if first else None,
        version_path=str(folder),
        rev_id=f"{part}_{number:04d}",
    )
    assert not isinstance(script, list)  # noqa: S101 - told to the type checker
    assert script is not None  # noqa: S101
    return Path(script.path)
