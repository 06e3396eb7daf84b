"""The demo company: pure parts, a short story told for real, and no trace of it in production."""

from __future__ import annotations

import datetime as dt
import json
import random
import stat
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from esn.demo.traffic import Traffic, swing
from lms import migrate
from lms.app import create_app
from lms.db import db
from lms.demo.build import HOME, bring_up_to_date, build, find_record, settings_for
from lms.demo.command import demo, with_addresses
from lms.demo.company import LEARNER, make_company
from lms.demo.wsgi import create_demo_app
from lms.errors import Misconfigured
from tests.conftest import SECRET

TODAY = dt.date(2026, 11, 23)


def test_the_company_is_the_one_promised() -> None:
    company = make_company(TODAY)
    levels = {member.key: 0 if member.manager is None else None for member in company.members}
    for member in company.members:
        if member.manager is not None:
            levels[member.key] = (levels[member.manager] or 0) + 1
    assert len(company.members) == 120
    assert set(levels.values()) == {0, 1, 2}
    assert len({member.role for member in company.members}) == 8
    assert len({member.name for member in company.members}) == 120
    assert company == make_company(TODAY)


def test_training_is_what_keeps_people_in_the_network() -> None:
    assert swing(0, 0, None) > 0.9
    assert swing(50, 0, None) < 0.1
    assert swing(50, 0, 20) > 0.9
    assert swing(3, 10, None) == 0


def test_two_months_hold_forty_thousand_acts() -> None:
    company = make_company(TODAY)
    traffic = Traffic(company, TODAY - dt.timedelta(days=60), random.Random(1))
    trained = {m.key: m.trained_from + 12 for m in company.members if m.trained_from is not None}
    acts = [act for day in range(60) for act in traffic.day(day, trained)]
    assert len(acts) >= 40_000
    assert len({act["id"] for act in acts}) == len(acts)
    assert Counter(act["verb"] for act in acts)["replied"] > 5_000
    assert {act["client"] for act in acts} == {"mobile", "desktop"}


def test_production_has_no_such_address(app: Flask) -> None:
    assert not [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/demo")]
    code = (
        "import sys; from lms.app import create_app; "
        f"create_app({{'LMS_SECRET_KEY': {SECRET!r}, 'LMS_INSTANCE': {str(app.config['LMS_INSTANCE'])!r}}}); "
        "print([name for name in sys.modules if name.startswith('lms.demo')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A week of the demo company, built once."""
    instance = tmp_path_factory.mktemp("demo")
    return instance, build(instance, lambda _line: None, "http://127.0.0.1:8123", days=7)


@pytest.fixture
def visitor(story: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A browser at the demo's door."""
    instance, record = story
    monkeypatch.setenv("LMS_INSTANCE", str(instance / "demo"))
    monkeypatch.setenv("LMS_SECRET_KEY", record["secret_key"])
    monkeypatch.setenv("LMS_JOBS", "manual")
    return create_demo_app().test_client()


@pytest.mark.network
def test_the_record_is_for_scripts_and_private(story: tuple[Path, dict[str, Any]]) -> None:
    instance, _record = story
    written = json.loads((instance / "demo.json").read_text())
    assert stat.S_IMODE((instance / "demo.json").stat().st_mode) == 0o600
    whole = with_addresses(written, "http://127.0.0.1:8123")
    assert set(whole["sign_in"]) == {"learner", "author", "manager", "administrator"}
    assert set(whole["lrs"]) == {"endpoint", "key", "secret"}
    assert set(whole["webhook"]) == {"url", "secret"}
    assert {"home", "team"} <= set(whole["pages"])
    assert all(address.startswith("http://127.0.0.1:8123/") for address in whole["pages"].values())
    again = with_addresses(whole, "http://127.0.0.1:9000")
    assert again["webhook"]["url"].startswith("http://127.0.0.1:9000/esn/intake/")
    assert find_record(instance) is not None


@pytest.mark.network
@pytest.mark.parametrize("role", ["learner", "author", "manager", "administrator"])
def test_one_click_signs_in(
    visitor: FlaskClient, story: tuple[Path, dict[str, Any]], role: str
) -> None:
    token = story[1]["token"]
    assert LEARNER in visitor.get(f"/demo/{token}").get_data(as_text=True)
    answer = visitor.get(f"/demo/{token}/{role}", follow_redirects=True)
    assert answer.status_code == 200
    assert answer.request.path == "/"


@pytest.mark.network
def test_another_token_opens_nothing(visitor: FlaskClient) -> None:
    assert visitor.get("/demo/wrong").status_code == 404
    assert visitor.get("/demo/wrong/administrator").status_code == 404
    assert visitor.get("/settings").status_code == 302


def test_a_company_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    (tmp_path / HOME).mkdir()
    app = create_app(settings_for(tmp_path / HOME, "http://localhost", SECRET))
    with app.app_context():
        assert migrate.pending()
        db.engine.dispose()
    bring_up_to_date(tmp_path, "http://localhost", SECRET)
    with app.app_context():
        assert migrate.pending() == []
        db.engine.dispose()


def test_no_company_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMS_SECRET_KEY", SECRET)
    monkeypatch.setenv("LMS_INSTANCE", str(tmp_path / "demo"))
    with pytest.raises(Misconfigured, match="ropes demo"):
        create_demo_app()


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMS_INSTANCE", str(tmp_path))
    monkeypatch.setattr("lms.demo.command.NEEDED_BYTES", 2**62)
    done = CliRunner().invoke(demo, ["--build-only"])
    assert isinstance(done.exception, Misconfigured)
    assert "Make room" in str(done.exception)
