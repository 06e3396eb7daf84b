"""The course text format: exact inverses, and errors an author can act on."""

from __future__ import annotations

import hashlib
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from courses.catalogue.cards import problems
from courses.catalogue.document import (
    Card,
    Document,
    Lesson,
    from_json,
    is_slug,
    tidy,
    to_json,
)
from courses.exchange.course_text import Bundle, format_course, parse_course
from courses.exchange.front import CourseTextError

COURSE = b"""---
title: Ask well
summary: Questions that get answers.
language: en
pass_score: 0.7
---

Most questions die for one reason.
"""
LESSON = """---
title: Ask a question
minutes: 4
---

## Why questions die {#why}

Nobody knows **what** you need.

![A post with a code in it](media/post.png)

---

## Which post will a stranger answer first? {#which}

Same problem, three posts.

- [ ] Is anyone else having trouble?
  > People cannot tell whether it concerns them.
- [x] Printer 3F-12 shows E-07. Who knows this code?
  > A place, a code, and a question.
  >
  > That is enough to start.

---

## Ask your own {#ask}

Post one question today.

```mission
measure: esn.acts
verb: posted
at_least: 1
within_days: 14
```
"""
PICTURE = b"not checked here: the text format does not look into pictures"


def files(lesson: str = LESSON, **more: bytes) -> dict[str, bytes]:
    """Return a course's files with this lesson."""
    return {
        "course.md": COURSE,
        "01-ask.md": lesson.encode(),
        "media/post.png": PICTURE,
        **more,
    }


def test_a_course_is_read() -> None:
    document = parse_course(files()).document
    assert document.title == "Ask well"
    assert document.pass_score == 0.7
    assert document.description == "Most questions die for one reason."
    (lesson,) = document.lessons
    assert (lesson.id, lesson.title, lesson.minutes) == ("ask", "Ask a question", 4)
    why, which, ask = lesson.cards
    assert (why.id, why.type) == ("why", "text")
    assert which.type == "choice"
    assert which.data == {
        "text": "Same problem, three posts.",
        "multiple": False,
        "options": [
            {
                "text": "Is anyone else having trouble?",
                "right": False,
                "feedback": "People cannot tell whether it concerns them.",
            },
            {
                "text": "Printer 3F-12 shows E-07. Who knows this code?",
                "right": True,
                "feedback": "A place, a code, and a question.\n\nThat is enough to start.",
            },
        ],
    }
    assert ask.data["within_days"] == 14
    assert document.media == {"post.png": hashlib.sha256(PICTURE).hexdigest()}


def test_canonical_text_comes_back_byte_for_byte() -> None:
    assert format_course(parse_course(files())) == files()


def test_ids_are_made_where_there_are_none_and_then_kept() -> None:
    text = "---\ntitle: A\n---\n## Hello there\nOne\n\n---\n\nTwo\n\n---\n\n## Hello there\nThree\n"
    bundle = parse_course({"course.md": COURSE, "01-a.md": text.encode()})
    one, two, three = (card.id for _, card in bundle.document.cards())
    assert (one, three) == ("hello-there", "hello-there-2")
    assert two.startswith("card-")
    written = format_course(bundle)
    assert b"## {#" + two.encode() + b"}" in written["01-a.md"]
    assert parse_course(written) == bundle


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("title: A", 1, "does not begin with ---"),
        ("---\ntitle: A\n", 1, "not closed"),
        ("---\ntitel: A\n---\nText", 2, "Did you mean “title”?"),
        ("---\ntitle: A\nminutes: many\n---\nText", 3, "a whole number"),
        ("---\ntitle: A: b\n---\nText", 2, "quotation marks"),
        ("---\ntitle: " + "[" * 5000 + "\n---\nText", 2, "nested too deep"),
        ("---\ntitle: " + "x" * 201 + "\n---\nText", 2, "200 characters at most"),
        (
            "---\ntitle: A\n---\nx\n```mission\nmeasure: " + "[" * 5000 + "\n```",
            6,
            "nested too deep",
        ),
        ("---\nminutes: 3\n---\nText", 1, "“title” is missing"),
        ("---\ntitle: A\n---\n", 4, "no card"),
        ("---\ntitle: A\n---\nOne\n\n---\n\n---\n\nTwo", 8, "no card between"),
        ("---\ntitle: A\n---\n## Q {#q}\n- [x] Yes\n- [ ] No\n  > No.", 5, "no feedback"),
        ("---\ntitle: A\n---\n## Q {#q}\n\n- [ ] Yes\n  > Y\n- [ ] No\n  > N", 6, "No option is"),
        ("---\ntitle: A\n---\n- [x] Yes\n> Y\n", 5, "Indent the feedback"),
        ("---\ntitle: A\n---\n- [x] Yes\n  > Y\n\nMore", 7, "Text after the options"),
        ("---\ntitle: A\n---\n- [x] Yes\n  > Y\n", 4, "2 to 12 options"),
        ("---\ntitle: A\n---\n## A {#one}\nx\n\n---\n\n## B {#one}\ny", 9, "used in 01-ask.md"),
        ("---\ntitle: A\n---\n## A {#One}\nx", 4, "small letters"),
        ("---\ntitle: A\n---\nx\n```mission\nmeasure: esn.acts\n```", 5, "lacks “at_least”"),
        (
            "---\ntitle: A\n---\nx\n```mission\nmeasure: esn.acts\nat_least: 1\nx: 2\n```",
            5,
            "known",
        ),
        ("---\ntitle: A\n---\nx\n```mission\nmeasure: esn.acts", 5, "not closed"),
        ("---\ntitle: A\n---\nx\n```mission\nmeasure: : :\n```", 6, "key: value"),
        ("---\ntitle: A\n---\n![](media/post.png)", 4, "Say in words"),
        ("---\ntitle: A\n---\n![x](https://example.org/a.png)", 4, "Put the file into media/"),
        ("---\ntitle: A\n---\n![x](media/none.png)", 4, "no picture media/none.png"),
    ],
)
def test_an_error_names_file_and_line_and_says_what_to_do(text: str, line: int, says: str) -> None:
    with pytest.raises(CourseTextError) as raised:
        parse_course(files(text))
    assert raised.value.path == "01-ask.md"
    assert says in raised.value.message
    assert raised.value.line == line
    assert raised.value.message.startswith(f"01-ask.md, line {line}: ")


def test_other_files_are_named_in_errors() -> None:
    with pytest.raises(CourseTextError, match=r"course\.md, line 1: This file is missing"):
        parse_course({})
    with pytest.raises(
        CourseTextError, match=r"notes\.txt, line 1: This file belongs to no lesson"
    ):
        parse_course(files() | {"notes.txt": b"x"})
    with pytest.raises(CourseTextError, match=r"01-ask\.md, line 2: This is not UTF-8"):
        parse_course(files() | {"01-ask.md": b"---\n\xff"})


def test_word_and_windows_files_are_read() -> None:
    text = "\ufeff" + LESSON.replace("\n", "\r\n")
    assert parse_course(files(text)) == parse_course(files())


line_text = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"))
    | st.sampled_from("-\\#>[]{}.x `"),
    max_size=30,
).map(str.strip)
words = line_text.filter(bool)
markdown = st.lists(
    line_text
    | st.sampled_from(["---", "\\---", "\\\\--- ", "", "***", "## Not a heading {#x}", "    code"]),
    max_size=6,
).map(lambda lines: tidy("\n".join(lines)))
slugs = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=20).filter(
    lambda text: is_slug(text) and text != "done"
)
options = st.fixed_dictionaries(
    {"text": words, "right": st.booleans(), "feedback": markdown.filter(bool)}
)


@st.composite
def card_data(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw a card's type and data."""
    kind = draw(st.sampled_from(["text", "choice", "mission"]))
    if kind == "text":
        return kind, {"text": draw(markdown.filter(bool))}
    if kind == "mission":
        data = {"text": draw(markdown.filter(bool)), "measure": "esn.acts"}
        if draw(st.booleans()):
            data["verb"] = draw(st.sampled_from(["posted", "replied"]))
        data["at_least"] = draw(st.integers(1, 1000))
        if draw(st.booleans()):
            data["within_days"] = draw(st.integers(1, 1000))
        return kind, data
    chosen = draw(st.lists(options, min_size=2, max_size=5))
    right = sum(option["right"] for option in chosen)
    multiple = right > 1 or draw(st.booleans())
    return kind, {"text": draw(markdown), "multiple": multiple, "options": chosen}


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Draw a course that could be published."""
    ids = draw(st.lists(slugs, min_size=1, max_size=6, unique=True))
    lesson_ids = draw(st.lists(slugs, min_size=1, max_size=len(ids), unique=True))
    cards = [Card(one, *_swap(draw(card_data()), draw(line_text))) for one in ids]
    lessons = [
        Lesson(
            lesson_id,
            draw(words),
            draw(st.integers(1, 60)),
            tuple(cards[number :: len(lesson_ids)]),
        )
        for number, lesson_id in enumerate(lesson_ids)
    ]
    return Document(
        title=draw(words),
        summary=draw(words),
        language=draw(st.sampled_from(["en", "no", "pt-BR"])),
        pass_score=draw(st.none() | st.sampled_from([0.5, 0.7, 1.0])),
        description=draw(markdown),
        lessons=tuple(lessons),
    )


def _swap(drawn: tuple[str, dict[str, Any]], heading: str) -> tuple[str, str, dict[str, Any]]:
    return drawn[0], heading, drawn[1]


@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
@given(documents())
def test_writing_and_reading_are_exact_inverses(document: Document) -> None:
    assume(not problems(document))
    bundle = Bundle(document, {})
    written = format_course(bundle)
    assert parse_course(written) == bundle
    assert format_course(parse_course(written)) == written


@settings(max_examples=50, suppress_health_check=list(HealthCheck), deadline=None)
@given(documents())
def test_json_is_an_exact_inverse_too(document: Document) -> None:
    assert from_json(to_json(document)) == document


@settings(max_examples=150, deadline=None)
@given(
    st.lists(line_text | st.sampled_from(["---", "- [x] a", "  > b", "```mission"]), max_size=12)
)
def test_any_text_is_read_or_refused_in_words(lines: list[str]) -> None:
    text = "---\ntitle: A\n---\n" + "\n".join(lines)
    try:
        bundle = parse_course(files(text))
    except CourseTextError:
        return
    assert parse_course(format_course(bundle)) == bundle
