"""The suite with every subset of its plugins: it starts, migrates, and answers on every page."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from lms.doctor import examine
from lms.evidence import measures
from lms.migrate import branches
from lms.people.models import Person
from tests.conftest import SECRET, Browser
from tests.factories.people import make_person

ROOT = Path(__file__).parent.parent.parent
FEATURES = ("courses", "esn", "certificates")
SUBSETS = [
    ("none",),
    *(
        ("xapi", *subset)
        for size in range(len(FEATURES) + 1)
        for subset in itertools.combinations(FEATURES, size)
    ),
]


def plain_addresses(app: Flask) -> list[str]:
    """Every page that can be asked for without naming a thing."""
    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.arguments
    )


@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
def test_every_subset_answers_on_every_page(
    subset: tuple[str, ...], make_app: Callable[..., Flask]
) -> None:
    app = make_app(LMS_PLUGINS=subset)
    with app.app_context():
        addresses = plain_addresses(app)
        assert "/" in addresses
        boss = make_person("Leila Haddad", is_manager=True)
        everything = make_person(
            "Imani Okafor", manager=boss, is_author=True, is_manager=True, is_administrator=True
        )
        learner = make_person("Tomasz Wrona", manager=everything)
        for person in (None, learner, everything):
            browser = enter(app, person)
            for address in addresses:
                answer = browser.get(address)
                if address != "/healthz":
                    assert answer.status_code < 500, (address, person, answer.text[:500])
        health = app.test_client().get("/healthz").json
        assert {name for name, said in health["checks"].items() if said != "ok"} == {"worker"}
        assert {branch for branch in branches() if branch != "lms"} <= set(subset)
        assert all(slug.partition(".")[0] in subset for slug in measures())
        assert "settings" in dict(examine())


def enter(app: Flask, person: Person | None) -> Browser:
    """A browser in which `person` is signed in, or nobody."""
    app.test_client_class = Browser
    browser = app.test_client()
    assert isinstance(browser, Browser)
    if person is not None:
        assert person.identity is not None
        with browser.session_transaction() as session:
            session["_user_id"] = person.identity.fs_uniquifier
            session["_fresh"] = True
    return browser


NOT_INSTALLED = """
import sys
from importlib import metadata
from importlib.abc import MetaPathFinder

absent = set(sys.argv[1].split(",")) - {""}


class Absent(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Absent())
real = metadata.entry_points


def entry_points(**wanted):
    return [one for one in real(**wanted) if one.value.partition(".")[0] not in absent]


metadata.entry_points = entry_points

from lms import migrate
from lms.app import create_app

app = create_app()
assert not absent & set(app.extensions["lms.plugins"] and [p.name for p in app.extensions["lms.plugins"]])
with app.app_context():
    migrate.upgrade()
    assert migrate.pending() == []
    answer = app.test_client().get("/healthz").json
    assert {k for k, said in answer["checks"].items() if said != "ok"} == {"worker"}, answer
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods and not rule.arguments and rule.rule != "/healthz":
            assert app.test_client().get(rule.rule).status_code < 500, rule.rule
assert not absent & {name.partition(".")[0] for name in sys.modules}
print("started with", sorted(p.name for p in app.extensions["lms.plugins"]))
"""


@pytest.mark.long
@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
def test_every_subset_starts_where_the_others_are_not_installed(
    subset: tuple[str, ...], tmp_path: Path
) -> None:
    absent = {"xapi", *FEATURES} - set(subset)
    done = subprocess.run(
        [sys.executable, "-c", NOT_INSTALLED, ",".join(sorted(absent))],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "LMS_SECRET_KEY": SECRET,
            "LMS_INSTANCE": str(tmp_path),
            "LMS_DATABASE_URL": "",
            "LMS_PLUGINS": "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"started with {sorted(set(subset) - {'none'})}" in done.stdout
