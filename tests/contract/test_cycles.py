"""No module of the suite reaches itself by imports, those inside functions counted."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("lms", "xapi", "courses", "esn", "certificates")
pytestmark = pytest.mark.house


def modules(root: Path, packages: Iterable[str]) -> dict[str, Path]:
    """Return every module of the packages by its dotted name."""
    found = {}
    for package in packages:
        for path in (root / package).rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> set[str]:
    """Return the known modules that one imports anywhere in it, but for type checkers only."""
    found: set[str] = set()
    tree = ast.parse(path.read_text())
    only_for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if node in only_for_types:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found.add(whole if whole in known else base)
    return {one for one in found if one in known and one != name}


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the knots: sets of modules each of which reaches all others (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    knots: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in graph[name]:
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            knot = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(knot) > 1:
                knots.append(sorted(knot))

    for name in graph:
        if name not in index:
            visit(name)
    return knots


def test_no_module_reaches_itself() -> None:
    known = modules(ROOT, PACKAGES)
    assert len(known) > 40
    assert cycles({name: imports(name, path, known) for name, path in known.items()}) == []


def test_a_cycle_through_a_function_is_seen(tmp_path: Path) -> None:
    for name, text in {
        "a": "from p.b import thing\n",
        "b": "def thing():\n    from . import c\n    return c\n",
        "c": "import p.a\n",
        "d": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import p.a\n",
    }.items():
        (tmp_path / "p").mkdir(exist_ok=True)
        (tmp_path / "p" / f"{name}.py").write_text(text)
    known = modules(tmp_path, ["p"])
    found = cycles({name: imports(name, path, known) for name, path in known.items()})
    assert found == [["p.a", "p.b", "p.c"]]
