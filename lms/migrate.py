"""Migrations: one Alembic branch for each package, labelled by its name.

Revision ids are explicit and carry the package's name (`courses_0002`), so that a dependency
between branches can be read. `upgrade` is what `ropes db upgrade` runs.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app

from lms.db import db
from lms.plugin import Plugin

KERNEL_BRANCH = Path(__file__).parent / "migrations"
ENVIRONMENT = Path(__file__).parent / "migrations" / "environment"


def alembic_config() -> Config:
    """Return Alembic's configuration for the enabled parts of the present app."""
    parts: list[Plugin] = current_app.extensions["lms.parts"]
    folders = [KERNEL_BRANCH, *(part.migrations for part in parts if part.migrations is not None)]
    config = Config()
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(folder) for folder in folders))
    return config


def upgrade() -> None:
    """Bring the database to the newest revision of every enabled branch."""
    db.session.remove()
    command.upgrade(alembic_config(), "heads")


def pending() -> list[str]:
    """Return the revisions that the code has and the database has not reached, sorted."""
    heads = set(ScriptDirectory.from_config(alembic_config()).get_heads())
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        at = set(context.get_current_heads())
        known = ScriptDirectory.from_config(alembic_config())
        reached = set(at)
        for revision in at:
            if known.get_revision(revision) is not None:
                reached |= {r.revision for r in known.iterate_revisions(revision, "base")}
    return sorted(heads - reached)


def draft(part: str, message: str, number: int) -> Path:
    """Write a new revision of one branch from the difference between models and database.

    For developers: the database must be at the newest revision. Returns the new file, which wants
    reading before it is kept. Only tables named `<part>_...` (the kernel: `lms_...`) are taken.
    """
    config = alembic_config()
    folders = {one.name: one.migrations for one in current_app.extensions["lms.parts"]}
    folder = KERNEL_BRANCH if part == "lms" else folders[part]
    if folder is None:
        raise LookupError(f"{part} has no folder of migrations")
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
        depends_on="lms_0001" if first and part != "lms" else None,
    )
    assert not isinstance(script, list)  # noqa: S101 - told to the type checker
    assert script is not None  # noqa: S101
    return Path(script.path)
