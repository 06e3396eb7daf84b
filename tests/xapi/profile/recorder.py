"""Holds every statement that the suite records in any test against the profile's templates.

A pytest plugin (`tests/conftest.py` names it). It listens at the outbox, the one door: whatever is
written there from product code, in any thread of this process, must fit one template and break
none, or the test that wrote it fails. What a test itself says to `xapi.api` is made up, and not
held; it is told apart by where the call stands, which is nothing that product code could say of
itself. At the end of a whole run no template may be left that nothing was recorded for.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from types import FrameType
from typing import Any

import orjson
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from xapi import vocabulary
from xapi.profile.document import published
from xapi.profile.match import judge

TABLE = "xapi_outbox"
TEMPLATES = orjson.loads(published(vocabulary.ROPES_VERSION))["templates"]
HOUSE = Path(__file__).parent.parent.parent.parent
_DOOR = str(HOUSE / "xapi" / "api.py")
_TESTS = str(HOUSE / "tests") + "/"
_KEY = "xapi_templates"  # what a worker of xdist hands to the one that started it
_kept: list[str] = []  # reasons why statements of the present test do not fit
_used: set[str] = set()
_of_workers: set[str] = set()


def hold(statement: dict[str, Any]) -> str | None:
    """Note which templates a statement uses; return in words why it does not fit, or None."""
    judgement = judge(statement, TEMPLATES)
    _used.update(judgement.met)
    if judgement.fits:
        return None
    text = orjson.dumps(statement, option=orjson.OPT_INDENT_2).decode()
    return f"This statement does not fit the xAPI profile: {judgement.reason()}.\n{text}"


def is_made_up(frame: FrameType | None) -> bool:
    """Whether it is a test that says something to `xapi.api`, or writes to the outbox itself."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(str(HOUSE)) and "/.venv/" not in name and name != _DOOR:
            return name.startswith(_TESTS)
        frame = frame.f_back
    return True


def _listen(_connection: Any, clause: Any, several: Any, single: Any, _options: Any) -> None:
    if not getattr(clause, "is_insert", False) or clause.table.name != TABLE:
        return
    if is_made_up(sys._getframe(1)):
        return
    for row in several or [single]:
        reason = hold(orjson.loads(row["text"]))
        if reason is not None:
            _kept.append(reason)


def pytest_configure(config: pytest.Config) -> None:
    """Listen from now on."""
    event.listen(Engine, "before_execute", _listen)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Listen no more."""
    event.remove(Engine, "before_execute", _listen)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Fail the test that recorded what does not fit, fixtures and threads of its included."""
    yield
    _fail_for_what_was_kept()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """The same for what was recorded after the test itself, and for a test that failed before."""
    yield
    _fail_for_what_was_kept()


def _fail_for_what_was_kept() -> None:
    reasons = list(_kept)
    _kept.clear()
    if reasons:
        pytest.fail("\n\n".join(reasons), pytrace=False)


def pytest_testnodedown(node: Any, error: Any) -> None:
    """Take over what a worker of xdist has seen."""
    _of_workers.update(getattr(node, "workeroutput", {}).get(_KEY, ()))


def never_used() -> list[str]:
    """Return the templates that nothing recorded so far fits."""
    return [one["id"] for one in TEMPLATES if one["id"] not in _used | _of_workers]


def is_whole(config: pytest.Config) -> bool:
    """Whether all the quick tests were asked for: `make test`, or the same on PostgreSQL."""
    asked = config.option
    return (
        config.args_source is pytest.Config.ArgsSource.TESTPATHS
        and not asked.keyword
        and asked.markexpr.startswith("not long")
        and not asked.collectonly
        and not getattr(asked, "deselect", None)
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand on what was used; where a whole run ends, fail it for templates that never were."""
    workeroutput = getattr(session.config, "workeroutput", None)
    if workeroutput is not None:
        workeroutput[_KEY] = sorted(_used)
    elif session.exitstatus == pytest.ExitCode.OK and is_whole(session.config) and never_used():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say which templates were never used."""
    if is_whole(config):
        for template in never_used():
            terminalreporter.write_line(f"FAILED: no statement was like {template}", red=True)
