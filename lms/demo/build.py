"""Building the demo company: two months, told day by day through the doors a real company uses.

The story runs on an injected clock in this process. The app answers over HTTP from a thread, so
that the network's events come in by the real signed intake; jobs are run as they are woken.
"""

from __future__ import annotations

import datetime as dt
import importlib
import logging
import random
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from flask import Flask
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from werkzeug.serving import make_server

from lms import clock, migrate
from lms.app import create_app
from lms.db import db
from lms.demo import people
from lms.demo.company import ADMINISTRATOR, AUTHOR, LEARNER, MANAGER, SEED, make_company
from lms.demo.sign_in import Part
from lms.demo.stage import Stage, Step
from lms.errors import Misconfigured
from lms.jobs.queue import run_pending
from lms.plugin import Plugin

STORY_DAYS = 60
STORY_VERSION = 1
RECORD = "demo.json"
NO_ROOM_BYTES = 1_000_000
HOME = "demo"  # the folder of the finished company, inside the instance folder


def settings_for(folder: Path, base_url: str, secret: str, **more: Any) -> dict[str, Any]:
    """Return the settings of the demo company's app."""
    return {
        "LMS_SECRET_KEY": secret,
        "LMS_INSTANCE": folder,
        "LMS_BASE_URL": base_url,
        "LMS_HOME_PAGE": "https://ropes.halden-freight.example",
        "LMS_COMPANY": "Halden Freight",
        "LMS_NETWORK_NAME": "Halden Square",
        "LMS_NETWORK_URL": "https://square.halden-freight.example",
        **more,
    }


def find_record(instance: Path) -> dict[str, Any] | None:
    """Return what an earlier build left, or None where there is none of this version."""
    try:
        found: dict[str, Any] = orjson.loads((instance / RECORD).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return found if found.get("story") == STORY_VERSION else None


def build(
    instance: Path, say: Callable[[str], None], base_url: str, days: int = STORY_DAYS
) -> dict[str, Any]:
    """Build the company in `instance`, replacing whatever story stood there; return the record.

    base_url: where the company will be opened; printed certificates lead there.
    Everything is built in a folder beside and moved at the end: a build that was stopped leaves
    the earlier company as it was.
    """
    work = instance / "demo.building"
    secret = secrets.token_urlsafe(48)
    with _building_site(work):
        app = create_app(settings_for(work, base_url, secret, LMS_JOBS="manual"))
        with app.app_context():
            migrate.upgrade()
            stage = _tell(app, say, days)
            record = _record(stage, secret)
            db.session.remove()
            db.engine.dispose()
    home = instance / HOME
    shutil.rmtree(home, ignore_errors=True)
    work.rename(home)
    write_record(instance, record)
    return record


@contextmanager
def _building_site(work: Path) -> Iterator[None]:
    """An empty folder to build in, gone again where the building fails; a full disk is said."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        yield
    except BaseException as error:
        full = shutil.disk_usage(work).free < NO_ROOM_BYTES
        shutil.rmtree(work, ignore_errors=True)
        if full:
            raise Misconfigured(
                f"The disk is full: the demo could not be built in {work.parent}. What was begun "
                "is removed. Make room and type the same again."
            ) from error
        raise


def bring_up_to_date(instance: Path, base_url: str, secret: str) -> None:
    """Bring the database of a company that an earlier version of Ropes built up to date.

    Raises Misconfigured where a later version built it.
    """
    with create_app(settings_for(instance / HOME, base_url, secret)).app_context():
        migrate.check_not_newer()
        if migrate.pending():
            migrate.upgrade()
        db.session.remove()
        db.engine.dispose()


def write_record(instance: Path, record: dict[str, Any]) -> None:
    """Write `demo.json` whole or not at all; only its owner may read it, it holds secrets."""
    unfinished = instance / f"{RECORD}.new"
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2))
    unfinished.rename(instance / RECORD)


def _tell(app: Flask, say: Callable[[str], None], days: int) -> Stage:
    today = clock.today()
    first_day = today - dt.timedelta(days=days)
    company = make_company(today, days)
    hand = _Hand(dt.datetime.combine(first_day, dt.time(5), dt.UTC))
    with clock.travel(hand.read), _served(app) as address:
        stage = Stage(
            app=app,
            company=company,
            first_day=first_day,
            base_url=address,
            dice=random.Random(SEED),  # noqa: S311 - a story, not a secret
            person_ids=people.bring_in(company),
            say=say,
            set_clock=hand.set,
        )
        steps = [_load_step(where) for _order, where in _steps(app)]
        for step in steps:
            step.prepare(stage)
        run_pending()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, transient=False) as progress:
            bar = progress.add_task("Telling the story of Halden Freight", total=days)
            for number in range(days):
                hand.set(stage.moment(number, 5))
                for step in steps:
                    step.day(stage, number)
                hand.set(stage.moment(number, 23))
                run_pending()
                progress.advance(bar)
    for step in steps:
        step.finish(stage)
    run_pending()
    return stage


class _Hand:
    """The hand of the story's clock."""

    def __init__(self, moment: dt.datetime) -> None:
        self.moment = moment

    def read(self) -> dt.datetime:
        return self.moment

    def set(self, moment: dt.datetime) -> None:
        self.moment = moment


def _steps(app: Flask) -> list[tuple[int, str]]:
    parts: list[Plugin] = app.extensions["lms.parts"]
    return sorted(step for part in parts for step in part.demo)


def _load_step(where: str) -> Step:
    module, name = where.split(":")
    step: Step = getattr(importlib.import_module(module), name)()
    return step


@contextmanager
def _served(app: Flask) -> Iterator[str]:
    """Answer over HTTP on a free loopback port while the block runs."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, name="demo-intake", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _record(stage: Stage, secret: str) -> dict[str, Any]:
    keys = {member.name: member.key for member in stage.company.members}
    uids = people.uids(stage.person_ids.values())

    def part(role: str, name: str, says: str) -> dict[str, str]:
        return asdict(Part(role, uids[stage.person_ids[keys[name]]], name, says))

    return {
        "story": STORY_VERSION,
        "built_at": clock.now().isoformat(),
        "secret_key": secret,
        "token": secrets.token_urlsafe(16),
        "cast": [
            part(
                "learner", LEARNER, "New in customer care, on a phone, with three minutes to spare."
            ),
            part("manager", MANAGER, "Answers for a team of twenty in customer care."),
            part("author", AUTHOR, "Writes the courses; no programmer."),
            part("administrator", ADMINISTRATOR, "Connects the network and sleeps at night."),
        ],
        "pages": {"home": "/", "team": "/team", **stage.pages},
        **stage.connections,
    }
