"""The recorder itself: what product code records and does not fit fails the test that did it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from flask import Flask

import courses.progress.statements
from tests.factories.people import make_person
from tests.xapi.profile import recorder
from xapi import api, build, vocabulary


@pytest.fixture
def kept() -> Iterator[list[str]]:
    """What the recorder has against this test; taken from it in the end."""
    assert recorder._kept == []
    yield recorder._kept
    recorder._kept.clear()


def as_if_in(module: str, function: FunctionType) -> FunctionType:
    """Return the function as if it stood in that file of the product."""
    code: CodeType = function.__code__.replace(co_filename=module)
    return FunctionType(code, function.__globals__)


def record_a_course(person_id: int, uid: str, verb: vocabulary.VerbTerm) -> str:
    course = build.activity("courses/a/v1", vocabulary.COURSE, "A")
    return api.record(person_id, build.statement(uid, verb, course))


def test_product_code_is_held(app: Flask, kept: list[str]) -> None:
    person = make_person()
    product = as_if_in(courses.progress.statements.__file__, record_a_course)
    product(person.id, person.uid, vocabulary.JOINED)
    [reason] = kept
    assert reason.startswith("This statement does not fit the xAPI profile: no template has")
    assert "courses/a/v1" in reason
    with pytest.raises(pytest.fail.Exception, match="does not fit"):
        recorder._fail_for_what_was_kept()


def test_what_a_test_says_is_made_up(app: Flask, kept: list[str]) -> None:
    person = make_person()
    said = record_a_course(person.id, person.uid, vocabulary.JOINED)
    api.void_many([(person.id, said)])  # through the door twice, and still the test's
    assert kept == []


def test_what_product_code_voids_is_held_too(app: Flask, kept: list[str]) -> None:
    person = make_person()
    said = record_a_course(person.id, person.uid, vocabulary.JOINED)

    def take_back(person_id: int, said: str) -> None:
        api.void_many([(person_id, said)])

    product = as_if_in(courses.progress.statements.__file__, take_back)
    recorder._used.discard(f"{vocabulary.ROPES}#templates/network-voided")
    product(person.id, said)
    assert kept == []
    assert f"{vocabulary.ROPES}#templates/network-voided" in recorder._used


def test_only_a_file_under_tests_makes_up() -> None:
    assert recorder.is_made_up(sys._getframe())
    assert Path(recorder._DOOR) == Path(api.__file__)
    where = as_if_in(
        courses.progress.statements.__file__, lambda: recorder.is_made_up(sys._getframe())
    )
    assert not where()


def test_templates_that_were_never_used_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "_used", {one["id"] for one in recorder.TEMPLATES[1:]})
    monkeypatch.setattr(recorder, "_of_workers", set())
    assert recorder.never_used() == [recorder.TEMPLATES[0]["id"]]

    class Node:
        workeroutput = {recorder._KEY: [recorder.TEMPLATES[0]["id"]]}

    recorder.pytest_testnodedown(Node(), None)
    assert recorder.never_used() == []


@pytest.mark.long
@pytest.mark.parametrize("workers", [[], ["-n", "2", "--dist", "loadfile"]], ids=["one", "two"])
def test_a_whole_run_without_a_kind_fails_and_names_it(tmp_path: Path, workers: list[str]) -> None:
    """A part of the tests, told that it is the whole; what the workers saw is put together."""
    (tmp_path / "as_if_whole.py").write_text(
        "def pytest_sessionstart(session):\n"
        "    import tests.xapi.profile.recorder as recorder\n"
        "    recorder.is_whole = lambda config: True\n"
    )

    def run(*files: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "as_if_whole", *workers]
            + [f"tests/xapi/profile/{file}" for file in files],
            cwd=recorder.HOUSE,
            env={**os.environ, "PYTHONPATH": f"{recorder.HOUSE}:{tmp_path}"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    code, said = run("test_jsonpath.py", "test_match.py")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert said.count("FAILED: no statement was like") == len(recorder.TEMPLATES)
    assert " passed" in said
    code, said = run("test_jsonpath.py", "test_suite.py")
    assert (code, "FAILED" in said) == (pytest.ExitCode.OK, False)
