"""The table of faults, printed at the end of the run: fault, times tried, lost, doubled."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, whichever process the tests ran in."""
    lines = [
        str(value).split("|")
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "fault"
    ]
    if not lines:
        return
    terminalreporter.section("faults on the way to a record store")
    terminalreporter.write_line("| fault | times tried | lost | doubled |")
    terminalreporter.write_line("|---|--:|--:|--:|")
    for line in lines:
        terminalreporter.write_line("| " + " | ".join(line) + " |")
