"""Migrations: they make what the models say, go on after a kill, and leave other packages alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from flask_babel import lazy_gettext as _l
from sqlalchemy import Table, inspect, text

from lms import app as factory
from lms import migrate
from lms import plugin as plugins
from lms.app import create_app
from lms.db import Base, db, transaction
from lms.errors import Misconfigured
from lms.plugin import Plugin
from tests import databases
from tests.conftest import SECRET, settings_for

ROOT = Path(__file__).parent.parent.parent


def differences() -> list[Any]:
    """What the models say and the database has not, or the other way round."""
    labels = tuple(f"{label}_" for label in migrate.branches())

    def ours(_thing: object, name: str | None, kind: str, *_rest: object) -> bool:
        return kind != "table" or (name or "").startswith(labels)

    with db.engine.connect() as connection, warnings.catch_warnings():
        # Indexes over expressions cannot be read back from SQLite; both say so. See below.
        warnings.filterwarnings("ignore", message="Skipped unsupported reflection")
        warnings.filterwarnings("ignore", message="autogenerate skipping")
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": ours}
        )
        found = list(compare_metadata(context, Base.metadata))
        catalogue = (
            "SELECT name FROM sqlite_master WHERE type = 'index'"
            if db.engine.dialect.name == "sqlite"
            else "SELECT indexname FROM pg_indexes"
        )
        there = set(connection.scalars(text(catalogue)))
    wanted = {
        str(index.name)
        for table in Base.metadata.tables.values()
        for index in table.indexes
        if table.name.startswith(labels)
    }
    return [*found, *(f"no index {name}" for name in sorted(wanted - there))]


def test_migrations_make_what_the_models_say(app: Flask) -> None:
    assert differences() == []


def test_a_missing_index_over_an_expression_is_seen(app: Flask) -> None:
    with transaction() as session:
        session.execute(text("DROP INDEX uq_lms_identity_email_lower"))
    assert "no index uq_lms_identity_email_lower" in differences()


def test_tables_bear_the_name_of_their_package(app: Flask) -> None:
    strangers = [
        mapper.local_table.name
        for mapper in Base.registry.mappers
        if isinstance(mapper.local_table, Table)
        and (package := mapper.class_.__module__.partition(".")[0]) in migrate.branches()
        and not mapper.local_table.name.startswith(f"{package}_")
    ]
    assert strangers == []


def test_revisions_are_named_and_numbered_by_their_branch(app: Flask) -> None:
    for label, folder in migrate.branches().items():
        found = sorted(folder.glob("*.py"))
        names = [path.stem for path in found]
        assert all(re.fullmatch(rf"{label}_\d{{4}}_\w+", name) for name in names), names
        numbers = [int(name.removeprefix(f"{label}_")[:4]) for name in names]
        assert numbers == list(range(1, len(numbers) + 1)), names


def test_revisions_depend_on_no_other_branch(app: Flask) -> None:
    """See `lms.migrate`: the version table holds one row a branch only where none has this."""
    for script in migrate.scripts().walk_revisions():
        assert not script.dependencies, script.revision
        assert re.fullmatch(r"[a-z_]+_\d{4}", script.revision)


def test_the_database_holds_one_row_for_each_branch(app: Flask) -> None:
    assert sorted(migrate.current_heads()) == sorted(migrate.scripts().get_heads())
    assert migrate.pending() == []


def fresh_app(folder: Path, request: pytest.FixtureRequest, **more: Any) -> Flask:
    """An app over a database in which nothing is yet."""
    folder.mkdir(exist_ok=True)
    address = ""
    if databases.KIND == "postgresql":
        server = request.getfixturevalue("postgresql")
        name = f"fresh_{os.getpid()}_{abs(hash(str(folder)))}"
        databases.run_sql(server, f"CREATE DATABASE {name}")
        address = f"{server}/{name}"
    return create_app(settings_for(folder, address, **more))


def close() -> None:
    db.session.remove()
    db.engine.dispose()


def test_a_new_database_is_known_as_new(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with fresh_app(tmp_path / "new", request).app_context():
        assert migrate.is_new()
        assert migrate.pending() == sorted(migrate.scripts().get_heads())
        migrate.upgrade()
        assert not migrate.is_new()
        migrate.upgrade()  # again, without harm
        assert migrate.pending() == []
        close()


def test_a_revision_that_fails_leaves_nothing_of_itself(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with fresh_app(tmp_path / "fails", request).app_context():
        migrate.upgrade()
        victim = migrate.scripts().get_revision("xapi_0001")
        assert victim is not None
        with transaction() as session:  # as if xapi had never been there
            session.execute(text("DELETE FROM alembic_version WHERE version_num LIKE 'xapi%'"))
            for name in reversed([t.name for t in Base.metadata.sorted_tables]):
                if name.startswith("xapi_"):
                    session.execute(text(f"DROP TABLE {name}"))
        real = victim.module.upgrade

        def half() -> None:
            real()
            raise RuntimeError("the disk is full")

        victim.module.upgrade = half
        with pytest.raises(RuntimeError, match="full"):
            migrate.upgrade()
        assert [name for name in inspect(db.engine).get_table_names() if "xapi" in name] == []
        assert [name for name in migrate.pending() if name.startswith("xapi_")] != []
        victim.module.upgrade = real
        migrate.upgrade()
        assert migrate.pending() == []
        assert "xapi_outbox" in inspect(db.engine).get_table_names()
        close()


def test_a_package_that_is_off_or_gone_is_left_alone(make_app: Callable[..., Flask]) -> None:
    """Also one that nobody here has ever heard of."""
    app = make_app(LMS_PLUGINS=("xapi",))
    with app.app_context():
        with transaction() as session:
            session.execute(text("INSERT INTO alembic_version VALUES ('somebodys_0007')"))
        before = set(migrate.current_heads())
        assert len(before) > len(migrate.scripts().get_heads())
        assert migrate.pending() == []
        migrate.upgrade()
        assert set(migrate.current_heads()) == before


def test_a_database_of_a_newer_version_is_refused(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    with app.app_context():
        with transaction() as session:
            session.execute(
                text(
                    "UPDATE alembic_version SET version_num='xapi_9999' WHERE version_num LIKE 'xapi%'"
                )
            )
        with pytest.raises(Misconfigured, match=r"newer version of Ropes \(xapi_9999\)"):
            migrate.upgrade()
        answer = app.test_client().get("/healthz")
        assert answer.status_code == 503
        assert "xapi_9999" in answer.json["checks"]["migrations"]


REBUILD = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down!r}
branch_labels = {labels!r}
depends_on = None


def upgrade():
    {body}
"""
FIRST = (
    "op.create_table('shelf_box', sa.Column('id', sa.Integer, primary_key=True), "
    "sa.Column('size', sa.Integer)); "
    "op.create_table('shelf_thing', sa.Column('id', sa.Integer, primary_key=True), "
    "sa.Column('box_id', sa.Integer, sa.ForeignKey('shelf_box.id', ondelete='CASCADE')))"
)
SECOND = (
    "batch = op.batch_alter_table('shelf_box', recreate='auto');\n"
    "    with batch as table: table.alter_column('size', type_=sa.String(20))"
)
THIRD = "op.execute('DELETE FROM shelf_box')"


def write_revision(folder: Path, number: int, body: str) -> None:
    (folder / f"shelf_{number:04d}_some.py").write_text(
        REBUILD.format(
            revision=f"shelf_{number:04d}",
            down=f"shelf_{number - 1:04d}" if number > 1 else None,
            labels="shelf" if number == 1 else None,
            body=body,
        )
    )


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stranger's plugin with a branch of its own, whose folder is returned."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    extra = Plugin(name="shelf", label=_l("Shelf"), migrations=folder)
    monkeypatch.setattr(
        factory.plugin, "installed", lambda wanted=(): {**real(wanted), "shelf": extra}
    )
    return folder


real = plugins.installed


def test_a_table_that_is_rebuilt_keeps_those_that_refer_to_it(
    shelf: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    write_revision(shelf, 1, FIRST)
    with fresh_app(tmp_path / "one", request, LMS_PLUGINS=("shelf",)).app_context():
        migrate.upgrade()
        with transaction() as session:
            session.execute(text("INSERT INTO shelf_box VALUES (1, 5)"))
            session.execute(text("INSERT INTO shelf_thing VALUES (1, 1), (2, 1)"))
        close()
        write_revision(shelf, 2, SECOND)
        del factory.current_app.extensions["lms.migrations"]
        migrate.upgrade()
        with db.engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM shelf_thing")) == 2
            assert connection.scalar(text("SELECT size FROM shelf_box")) == "5"
            if db.engine.dialect.name == "sqlite":
                assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        close()


def test_a_migration_that_orphans_rows_is_taken_back(
    shelf: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if databases.KIND == "postgresql":
        pytest.skip("PostgreSQL looks by itself")
    write_revision(shelf, 1, FIRST)
    write_revision(
        shelf, 2, "op.execute('INSERT INTO shelf_box VALUES (1, 5)');\n"
        "    op.execute('INSERT INTO shelf_thing VALUES (1, 1)')",
    )  # fmt: skip
    write_revision(shelf, 3, THIRD)
    with fresh_app(tmp_path / "one", request, LMS_PLUGINS=("shelf",)).app_context():
        with pytest.raises(RuntimeError, match="refer to nothing"):
            migrate.upgrade()
        assert set(migrate.current_heads()) >= {"shelf_0002"}
        with db.engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM shelf_box")) == 1
        close()


KILLED = """
import os, sys
from lms import migrate
from lms.app import create_app

app = create_app()
with app.app_context():
    victim = migrate.scripts().get_revision(sys.argv[1])
    real = victim.module.upgrade

    def upgrade():
        real()
        os.kill(os.getpid(), 9)

    victim.module.upgrade = upgrade
    migrate.upgrade()
"""


def environment(folder: Path, address: str) -> dict[str, str]:
    """The environment of a process that works on a database of its own."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "LMS_SECRET_KEY": SECRET,
        "LMS_INSTANCE": str(folder),
        "LMS_DATABASE_URL": address,
    }


@pytest.mark.long
def test_an_upgrade_that_is_killed_at_any_revision_goes_on(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    app = fresh_app(tmp_path / "killed", request)
    with app.app_context():
        address = db.engine.url.render_as_string(hide_password=False)
        env = environment(tmp_path / "killed", address)
        revisions = [
            path.stem[: len(label) + 5]
            for label, folder in migrate.branches().items()
            for path in sorted(folder.glob("*.py"))
        ]
        assert len(revisions) > 4
        for revision in revisions:
            died = subprocess.run(
                [sys.executable, "-c", KILLED, revision], env=env, capture_output=True, check=False
            )
            assert died.returncode == -9, died.stderr.decode()
            assert revision not in migrate.current_heads()
        migrate.upgrade()
        assert migrate.pending() == []
        assert differences() == []
        close()


@pytest.mark.long
def test_two_upgrades_at_once_wait_for_each_other(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    app = fresh_app(tmp_path / "twice", request)
    with app.app_context():
        address = db.engine.url.render_as_string(hide_password=False)
        env = environment(tmp_path / "twice", address)
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "lms.cli", "db", "upgrade"],
                env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )
            for _ in range(3)
        ]  # fmt: skip
        for one in running:
            said, _ = one.communicate(timeout=120)
            assert one.returncode == 0, said
        assert migrate.pending() == []
        close()
