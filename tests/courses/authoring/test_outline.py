"""Changing a document: nothing is lost, ids stay, and fingerprints tell changes apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.authoring import outline
from courses.authoring.services import compare
from courses.catalogue.document import Card, Document, Lesson
from lms.errors import NotFound


def build(sizes: list[int]) -> Document:
    lessons = []
    for n, size in enumerate(sizes):
        cards = tuple(Card(f"c{n}-{m}", "text", "", {"text": "words"}) for m in range(size))
        lessons.append(Lesson(f"lesson-{n}", f"Lesson {n}", 3, cards))
    return Document("A course", lessons=tuple(lessons))


def ids(document: Document) -> list[str]:
    return [card.id for _, card in document.cards()]


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 15), st.sampled_from([-1, 1])), max_size=12),
)
def test_moving_cards_loses_none(sizes: list[int], moves: list[tuple[int, int]]) -> None:
    document = build(sizes)
    before = sorted(ids(document))
    for at, steps in moves:
        if before:
            document = outline.move_card(document, before[at % len(before)], steps)
    assert sorted(ids(document)) == before
    assert [lesson.id for lesson in document.lessons] == [f"lesson-{n}" for n in range(len(sizes))]


def test_a_card_moves_down_and_back_up_through_the_lessons() -> None:
    document = build([2, 0, 1])
    down = outline.move_card(document, "c0-1", 1)
    assert [len(lesson.cards) for lesson in down.lessons] == [1, 1, 1]
    assert outline.move_card(down, "c0-1", -1) == document
    assert outline.move_card(document, "c0-0", -1) == document  # nothing above it
    assert outline.move_card(document, "c2-0", 1) == document


def test_lessons_move_no_further_than_the_ends() -> None:
    document = build([1, 1, 1])
    assert outline.move_lesson(document, "lesson-0", -1) == document
    moved = outline.move_lesson(document, "lesson-0", 1)
    assert [lesson.id for lesson in moved.lessons] == ["lesson-1", "lesson-0", "lesson-2"]


def test_new_things_get_ids_that_are_free_and_allowed() -> None:
    document, first = outline.add_lesson(build([1]), "Done")
    document, second = outline.add_lesson(document, "Done")
    assert first != second
    assert "done" not in {first, second}
    made = set()
    for _ in range(5):
        document, card_id = outline.add_card(document, first, "text", {"text": ""})
        made.add(card_id)
    assert len(made) == 5
    document, between = outline.add_card(document, first, "text", {"text": ""}, after=min(made))
    cards = [card.id for card in outline.get_lesson(document, first).cards]
    assert cards.index(between) == cards.index(min(made)) + 1


def test_what_is_gone_is_said_to_be_gone() -> None:
    document = outline.remove_card(build([2]), "c0-0")
    assert ids(document) == ["c0-1"]
    with pytest.raises(NotFound, match="not in the course any more"):
        outline.get_place(document, "c0-0")
    with pytest.raises(NotFound, match="not in the course any more"):
        outline.remove_lesson(document, "nowhere")


def test_a_fingerprint_sees_its_own_form_only() -> None:
    document = build([1, 1])
    changed = outline.rewrite_card(document, "c0-0", "New", {"text": "other"})
    card, other = outline.get_place(document, "c0-0").card, outline.get_place(changed, "c0-0").card
    assert outline.fingerprint(card) != outline.fingerprint(other)
    assert outline.fingerprint(document.lessons[0]) == outline.fingerprint(changed.lessons[0])
    assert outline.fingerprint(document) == outline.fingerprint(changed)
    renamed = outline.rewrite_lesson(document, "lesson-0", "Else", 3)
    assert outline.fingerprint(document.lessons[0]) != outline.fingerprint(renamed.lessons[0])


def test_the_changes_of_a_draft_are_named() -> None:
    before = build([2, 1])
    after = outline.remove_card(before, "c0-0")
    after = outline.rewrite_card(after, "c1-0", "New words", {"text": "other"})
    after, _ = outline.add_card(after, "lesson-1", "text", {"text": "more"})
    found = compare(before, after)
    assert [card.id for card in found.removed] == ["c0-0"]
    assert [card.id for card in found.rewritten] == ["c1-0"]
    assert len(found.added) == 1
    assert not compare(before, before)
    assert compare(before, outline.rewrite_lesson(before, "lesson-0", "Else", 3)).other
