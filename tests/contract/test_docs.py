"""Every setting and every command is in the administrator's pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

from lms.cli import main
from lms.config import KERNEL_SETTINGS

DOCS = Path(__file__).parent.parent.parent / "docs" / "administrators"


@pytest.fixture(scope="module")
def pages() -> str:
    return "\n".join(path.read_text() for path in sorted(DOCS.glob("*.md")))


def test_every_setting_is_documented(app: Flask) -> None:
    text = (DOCS / "settings.md").read_text()
    parts = app.extensions["lms.parts"]
    declared = [*KERNEL_SETTINGS, *(setting for part in parts for setting in part.settings)]
    assert [one.name for one in declared if f"`{one.name}`" not in text] == []


def test_settings_bear_the_name_of_their_package(app: Flask) -> None:
    for part in app.extensions["lms.plugins"]:
        for setting in part.settings:
            known = f"LMS_{part.name.upper()}_"
            assert setting.name.startswith((known, "LMS_LRS_")), setting.name


def commands(group: click.Group, above: str = "ropes") -> Iterator[str]:
    """Yield every command with those above it: `ropes db upgrade`."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, f"{above} {name}")
        else:
            yield f"{above} {name}"


def test_every_command_is_documented_and_explained(app: Flask, pages: str) -> None:
    found = [*commands(main), *commands(app.cli)]
    assert len(found) > 10
    for command in found:
        first, *rest = command.split()[1:]
        assert f"`ropes {first}" in pages, command
        assert not rest or rest[-1] in pages, command


def test_commands_have_help(app: Flask) -> None:
    for group in (main, app.cli):
        for command in group.commands.values():
            assert command.get_short_help_str(), command.name
