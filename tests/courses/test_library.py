"""What ships: every course and path is canonical, complete, and fair as a test of judgement."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

import courses
from courses.catalogue.document import Card
from courses.catalogue.media import reencode
from courses.exchange.course_text import Bundle, format_course, parse_course
from courses.exchange.folder import read_folder

LIBRARY = Path(courses.__file__).parent / "library"
COURSES = sorted(path.name for path in (LIBRARY / "courses").iterdir() if path.is_dir())
PATHS = {
    "first-30-days": "Connected Colleague",
    "people-manager": "Leading in the Open",
    "executive": "Visible Leader",
    "community-manager": "Community Builder",
}
CARD_WORDS_MAX = 62
OPTION_WORDS_MAX = 20
PICTURE_MAX_BYTES = 20_000
DISTINCT = {"esn.acts", "esn.recipients", "esn.days", "esn.groups"}
UNKIND = re.compile(r"!(?!\[)|lorem ipsum|[\U0001F300-\U0001FAFF]|\bTODO\b", re.IGNORECASE)


def read(slug: str) -> tuple[dict[str, bytes], Bundle]:
    files = read_folder(LIBRARY / "courses" / slug)
    return files, parse_course(files)


def cards(slug: str) -> list[Card]:
    return [card for _, card in read(slug)[1].document.cards()]


def questions(slug: str) -> list[Mapping[str, Any]]:
    return [card.data for card in cards(slug) if card.type == "choice"]


def path_front(slug: str) -> dict[str, Any]:
    _, head, _ = (LIBRARY / "paths" / f"{slug}.md").read_text("utf-8").split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(head)
    return found


def test_seven_courses_and_four_paths_ship() -> None:
    assert len(COURSES) == 7
    assert {path.stem for path in (LIBRARY / "paths").glob("*.md")} == set(PATHS)


@pytest.mark.parametrize("slug", COURSES)
def test_the_text_is_canonical(slug: str) -> None:
    files, bundle = read(slug)
    assert format_course(bundle) == files


@pytest.mark.parametrize("slug", COURSES)
def test_a_course_is_whole(slug: str) -> None:
    document = read(slug)[1].document
    assert 2 <= len(document.lessons) <= 4
    types = Counter(card.type for card in cards(slug))
    assert types.total() >= 12
    assert types["choice"] >= 6
    assert types["mission"] == 1
    assert any(question["multiple"] for question in questions(slug))
    assert not all(question["multiple"] for question in questions(slug))
    assert document.media


@pytest.mark.parametrize("slug", COURSES)
def test_a_card_fits_a_phone_and_keeps_its_tone(slug: str) -> None:
    files, _ = read(slug)
    for path, content in files.items():
        if path.endswith(".md"):
            assert not UNKIND.search(content.decode()), path
    for card in cards(slug):
        text = re.sub(r"!\[.*?\]\(.*?\)", "", card.data["text"])
        assert card.heading, card.id
        assert len(f"{card.heading} {text}".split()) <= CARD_WORDS_MAX, card.id
        for option in card.data.get("options", ()):
            assert len(option["text"].split()) <= OPTION_WORDS_MAX, card.id
            assert 4 <= len(option["feedback"].split()) <= 36, (card.id, option["feedback"])


def test_neither_place_nor_length_gives_the_right_option_away() -> None:
    """Somebody who always takes the first, the last or the longest option must not get by."""
    places: Counter[int] = Counter()
    longest = total = 0
    for slug in COURSES:
        for question in questions(slug):
            right = [n for n, option in enumerate(question["options"]) if option["right"]]
            if question["multiple"]:
                continue
            total += 1
            places[right[0]] += 1
            lengths = [len(option["text"]) for option in question["options"]]
            longest += lengths[right[0]] == max(lengths)
    assert total > 40
    assert max(places.values()) < 0.4 * total
    assert longest < 0.4 * total


@pytest.mark.parametrize("slug", COURSES)
def test_the_mission_is_one_the_network_can_measure(slug: str) -> None:
    (mission,) = [card.data for card in cards(slug) if card.type == "mission"]
    assert mission["measure"] in DISTINCT
    assert mission["verb"] in {"posted", "replied", "joined"}
    assert 1 <= mission["at_least"] <= 5


@pytest.mark.parametrize("slug", COURSES)
def test_pictures_are_small_and_made_for_a_phone(slug: str) -> None:
    for name, content in read(slug)[1].media.items():
        assert len(content) <= PICTURE_MAX_BYTES, name
        assert len(reencode(content)[0]) <= PICTURE_MAX_BYTES, name  # as it is served
        with Image.open(io.BytesIO(content)) as picture:
            assert picture.width == 700, name


@pytest.mark.parametrize("slug", PATHS)
def test_a_path_is_tied_to_the_business(slug: str) -> None:
    front = path_front(slug)
    for key in ("title", "summary", "use_case", "business_objective", "owner"):
        assert front[key].strip(), key
    assert not re.match(r"(the )?(head of )?IT\b", front["owner"])
    assert 2 <= len(front["courses"]) <= 4
    assert set(front["courses"]) <= set(COURSES)
    assert front["audience"]
    assert PATHS[slug] in (LIBRARY / "paths" / f"{slug}.md").read_text("utf-8")


def test_every_course_is_on_a_path() -> None:
    on_paths = {course for slug in PATHS for course in path_front(slug)["courses"]}
    assert on_paths == set(COURSES)
