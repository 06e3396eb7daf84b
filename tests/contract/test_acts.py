"""Every act that anything writes to the audit log has words on the administrator's page."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from lms.plugin import Plugin, Subject
from tests.contract.test_package import ROOT

PACKAGES = ("lms", "xapi", "courses", "esn", "certificates")
KERNEL = ("people", "audit", "notices", "teams", "lms")


def texts_of(node: ast.expr, scope: list[ast.AST]) -> list[str] | None:
    """Return the texts that an expression can be; None where that is not to be seen."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        both = [texts_of(one, scope) for one in (node.body, node.orelse)]
        return None if None in both else [text for one in both for text in one or ()]
    if isinstance(node, ast.JoinedStr):  # of "person/{uid}" the kind is enough
        first = node.values[0]
        return texts_of(first, scope) if isinstance(first, ast.Constant) else None
    if isinstance(node, ast.Name):
        for where in scope:
            for inner in ast.walk(where):
                if isinstance(inner, ast.Assign) and any(
                    isinstance(one, ast.Name) and one.id == node.id for one in inner.targets
                ):
                    return texts_of(inner.value, scope)
                if isinstance(inner, ast.ImportFrom) and node.id in {
                    one.name for one in inner.names
                }:
                    module = ROOT.joinpath(*(inner.module or "").split(".")).with_suffix(".py")
                    return texts_of(node, [ast.parse(module.read_text())])
    return None


def notes() -> Iterator[tuple[str, list[str] | None, list[str] | None]]:
    """Yield where a line is noted, the acts that it may be, and the subjects."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield from notes_in(path.relative_to(ROOT), ast.parse(path.read_text()))


def notes_in(
    path: Path, module: ast.Module
) -> Iterator[tuple[str, list[str] | None, list[str] | None]]:
    functions = [one for one in ast.walk(module) if isinstance(one, ast.FunctionDef)]
    for call in ast.walk(module):
        if not (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "note"
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id == "audit"
        ):
            continue
        around = [one for one in functions if one.lineno <= call.lineno <= (one.end_lineno or 0)]
        scope: list[ast.AST] = [*reversed(around), module]
        acts, subjects = (texts_of(one, scope) for one in call.args[:2])
        yield f"{path}:{call.lineno}", acts, subjects


def test_every_act_has_words(app: Flask) -> None:
    parts: list[Plugin] = app.extensions["lms.parts"]
    known = {act for part in parts for act in part.acts}
    found = list(notes())
    assert len(found) > 35
    hidden = [where for where, acts, _subjects in found if acts is None]
    assert hidden == [], "write the act where it is noted, or beside it, as a text"
    lacking = sorted({act for _where, acts, _s in found for act in acts or () if act not in known})
    assert lacking == [], f"these acts have no words in `Plugin.acts`: {lacking}"


def test_every_subject_has_words(app: Flask) -> None:
    parts: list[Plugin] = app.extensions["lms.parts"]
    known = {subject.kind for part in parts for subject in part.subjects}
    lacking = sorted(
        {
            kind
            for _where, _acts, subjects in notes()
            for text in subjects or ()
            if (kind := text.partition("/")[0]) not in known
        }
    )
    assert lacking == [], f"these kinds of subject have no words in `Plugin.subjects`: {lacking}"


def test_a_part_brings_words_for_its_own_acts_alone(app: Flask) -> None:
    parts: list[Plugin] = app.extensions["lms.parts"]
    plugins = {one.name for one in app.extensions["lms.plugins"]}
    for part in parts:
        for act in part.acts:
            owner = act.partition(".")[0]
            assert owner == part.name if part.name in plugins else owner in KERNEL, act


@pytest.mark.parametrize(
    "source",
    [
        "audit.note(act, 'a/b')",
        "def f(act):\n    audit.note(act, 'a/b')",
        "audit.note(f'{kind}.done', 'a/b')",
    ],
)
def test_an_act_that_cannot_be_seen_is_found(source: str) -> None:
    [(_where, acts, _subjects)] = notes_in(Path("x.py"), ast.parse(source))
    assert acts is None


def test_names_of_subjects_are_asked_for_at_once(app: Flask) -> None:
    parts: list[Plugin] = app.extensions["lms.parts"]
    subjects: list[Subject] = [one for part in parts for one in part.subjects]
    assert len({one.kind for one in subjects}) == len(subjects)
    for subject in subjects:
        if subject.names is not None:
            assert subject.names(["nobody", "nothing"]) == {}
