"""PostgreSQL is stopped without ceremony and started again while statements are delivered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lms.app import create_app
from lms.db import db
from lms.migrate import upgrade
from tests import databases
from tests.conftest import NO_POSTGRESQL, settings_for
from tests.faults.house import ask, house, in_child, note

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(databases.find_postgresql() is None, reason=NO_POSTGRESQL),
]


def test_the_database_is_restarted(
    tmp_path: Path, migrated: Callable[[Path], str], request: pytest.FixtureRequest
) -> None:
    with databases.own_cluster() as cluster:
        databases.run_sql(cluster.address, "CREATE DATABASE ours")
        address = f"{cluster.address}/ours"

        def migrate() -> None:
            app = create_app(settings_for(tmp_path / "new", address, LMS_PLUGINS=("xapi",)))
            with app.app_context():
                upgrade()
                db.session.remove()
                db.engine.dispose()

        assert in_child(migrate) == 0
        with house(tmp_path, migrated, database=address) as home:
            home.mode("drip")
            recorded = home.record(400)
            home.send()
            for times in (1, 2, 3):
                before = len(home.tried("drip"))
                home.wait(lambda: len(home.tried("drip")) > before)  # noqa: B023 - at once
                cluster.restart()
                recorded += home.record(20)
                assert ask(home.ours, "SELECT count(*) FROM xapi_outbox") == [(400 + 20 * times,)]
            home.mode("pass")
            home.drained(30)
            note(request, "PostgreSQL stopped at once, and started", 3, *home.judge(recorded))
