"""`python -m tests.benchmarks [NAME...]`: run benchmarks, print a table, write build/bench.json."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests import databases
from tests.benchmarks.harness import Benchmark, Place, Result, load_all, peak_mb

OUTPUT = Path("build") / "bench.json"
TIMEOUT_SECONDS = 900


def run_here(one: Benchmark) -> dict[str, Any]:
    """Run one benchmark in this process."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ropes-bench-")))
        result = one.run(Place(folder, stack))
        return {**asdict(result), "peak_mb": peak_mb()}


def run_apart(one: Benchmark) -> dict[str, Any]:
    """Run one benchmark in a process of its own; `error` in the answer where it failed."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks", "--here", one.name],
            capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {TIMEOUT_SECONDS} s"}
    if done.returncode:
        return {"error": done.stderr.strip()[-3000:] or f"exit code {done.returncode}"}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def figure(number: float | None) -> str:
    """Write a figure with three digits that say something."""
    if number is None:
        return "–"
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def add_row(table: Table, one: Benchmark, found: dict[str, Any]) -> list[str]:
    """Add one line to the table; return what it misses."""
    if "error" in found:
        table.add_row(one.name, "[red]failed[/red]", "", "", "", "", "", "")
        return ["failed"]
    result = Result(
        found["value"], found["floor"], found["floor_is"], found["notes"], found["ratio"]
    )
    misses = one.misses(result)
    wanted = [figure(one.target)] if one.target is not None else []
    wanted += [f"{figure(one.target_ratio)} x floor"] if one.target_ratio is not None else []
    sign = ">=" if one.more_is_better else "<="
    table.add_row(
        one.name,
        f"{figure(result.value)} {one.unit}",
        figure(result.floor),
        figure(result.found_ratio()),
        f"{sign} {', '.join(wanted)}",
        "[red]MISSED[/red]" if misses else "[green]met[/green]",
        f"{found['peak_mb']:.0f} MB",
        result.floor_is,
    )
    if result.notes:
        notes = ", ".join(
            f"{key} {figure(value) if isinstance(value, int | float) else value}"
            for key, value in result.notes.items()
        )
        table.add_row(f"[dim]  {notes}[/dim]", "", "", "", "", "", "", "")
    return misses


def main(arguments: list[str]) -> int:
    """Run; exit 1 where a benchmark failed to run (one that misses its target is marked)."""
    known = load_all()
    if arguments[:1] == ["--here"]:
        sys.stdout.write(json.dumps(run_here(known[arguments[1]])) + "\n")
        return 0
    chosen = [one for one in known.values() if one.name.startswith(tuple(arguments or [""]))]
    if not chosen:
        sys.stderr.write(f"No benchmark begins so. Known: {', '.join(known)}\n")
        return 2
    console = Console(width=None if sys.stdout.isatty() else 160)
    table = Table(title=f"Benchmarks ({databases.KIND}), values beside the floor of the same run")
    for head in ("what", "value", "floor", "ratio", "wanted", "", "memory", "the floor is"):
        table.add_column(head, overflow="fold")
    report: dict[str, Any] = {}
    missed = []
    for one in chosen:
        console.print(f"[dim]{one.name} ...[/dim]")
        found = run_apart(one)
        if "error" in found:
            console.print(found["error"], style="red", markup=False)
        misses = add_row(table, one, found)
        missed += [one.name] if misses else []
        report[one.name] = {**found, "unit": one.unit, "target": one.target, "misses": misses}
    console.print(table)
    console.print(f"{len(chosen)} run, {len(missed)} missed: {', '.join(missed) or 'none'}")
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(report, indent=1))
    return 1 if any("error" in found for found in report.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
