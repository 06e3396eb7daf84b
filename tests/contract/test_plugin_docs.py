"""What a plugin can add is documented: every field, event, and entry point group."""

from __future__ import annotations

import dataclasses
import inspect
import re
from configparser import ConfigParser
from pathlib import Path

import pytest

from lms import events, plugin
from lms.plugin import Plugin

pytestmark = pytest.mark.house

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "plugin-writers"


@pytest.fixture(scope="module")
def page() -> str:
    return (DOCS / "README.md").read_text()


def test_every_field_of_plugin_has_a_heading(page: str) -> None:
    headings = re.findall(r"^### `(\w+)`$", page, re.MULTILINE)
    assert headings == [field.name for field in dataclasses.fields(Plugin)]


def test_every_field_has_words_beneath_its_heading(page: str) -> None:
    for field in dataclasses.fields(Plugin):
        _, _, rest = page.partition(f"### `{field.name}`\n")
        assert len(rest.partition("\n#")[0].strip()) > 40, field.name


@pytest.mark.parametrize(
    "record", ["NavItem", "HomeCard", "NoticeKind", "Check", "Held", "Erasable"]
)
def test_the_records_are_shown_with_all_their_fields(page: str, record: str) -> None:
    fields = ", ".join(field.name for field in dataclasses.fields(getattr(plugin, record)))
    assert f"`{record}({fields})`" in page


def test_every_event_is_described(page: str) -> None:
    found = [
        name
        for name, value in inspect.getmembers(events, inspect.isclass)
        if issubclass(value, events.Event) and value is not events.Event
    ]
    assert found
    assert [name for name in found if f"| `{name}` |" not in page] == []


def test_every_entry_point_group_is_described(page: str) -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    groups = set(setup["options.entry_points"]) - {"console_scripts"}
    assert len(groups) > 2
    assert [group for group in groups if f"`{group}`" not in page] == []


def test_links_lead_somewhere() -> None:
    for path in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
            assert (DOCS / target).exists(), (path.name, target)


def test_the_macros_named_are_there() -> None:
    known = set(
        re.findall(r"{% macro (\w+)\(", (ROOT / "lms/web/templates/web/parts.html").read_text())
    )
    said = (DOCS / "pages.md").read_text()
    assert {name for name in known - {"errors"} if f"`{name}(" not in said} == set()
