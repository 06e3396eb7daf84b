"""Alembic's environment: runs migrations over the app's own engine, a transaction each."""

from typing import Any

import sqlalchemy as sa
from alembic import context

from lms.db import Base, db, writing


def run(connection: sa.Connection) -> None:
    """Run what is to be run on this connection."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        # SQLite has transactional DDL too; Alembic distrusts the driver, which we tell to BEGIN.
        transactional_ddl=True,
        transaction_per_migration=True,
        on_version_apply=check_references,
        compare_type=True,
        **{
            key: context.config.attributes[key]
            for key in ("include_name", "include_object")
            if key in context.config.attributes
        },
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


def check_references(ctx: Any, *_positional: Any, **_rest: Any) -> None:
    """Take a migration back that leaves rows which refer to nothing (SQLite does not look)."""
    if ctx.connection.dialect.name == "sqlite":
        broken = ctx.connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"the migration leaves rows that refer to nothing: {broken[:5]}")


with writing(True), db.engine.connect() as connection:
    raw: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        # A table that is rebuilt is dropped in between, which must not empty those that refer to
        # it (https://www.sqlite.org/lang_altertable.html, section 7). Outside transactions only.
        raw.execute("PRAGMA foreign_keys=OFF")
        try:
            run(connection)
        finally:
            connection.rollback()
            raw.execute("PRAGMA foreign_keys=ON")
    else:
        run(connection)
