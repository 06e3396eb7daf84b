"""The tokens of the design system: text can be read, and fields be found, in both themes (WCAG 2.2)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = Path(__file__).parents[3] / "lms" / "web" / "static" / "web" / "ropes.css"
TEXT = ["ink", "muted", "primary", "rope", "good", "warn", "bad"]
GROUNDS = ["paper", "surface", "tint"]


def tokens() -> dict[str, tuple[str, str]]:
    """Return each colour token: (light, dark)."""
    found = re.findall(r"--([\w-]+): light-dark\(#(\w{6}), #(\w{6})\)", CSS.read_text())
    return {name: (light, dark) for name, light, dark in found}


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXT)
def test_text_can_be_read(text: str, ground: str, theme: int) -> None:
    known = tokens()
    assert contrast(known[text][theme], known[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_buttons_can_be_read_and_fields_be_found(theme: int) -> None:
    known = tokens()
    assert contrast(known["on-primary"][theme], known["primary"][theme]) >= 4.5
    for ground in ("paper", "surface"):
        assert contrast(known["field"][theme], known[ground][theme]) >= 3


def test_the_style_sheet_stays_small() -> None:
    assert len(CSS.read_bytes()) < 18_000
