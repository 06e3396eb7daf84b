"""What people and strangers write costs in proportion to its length, at every entrance for text.

Counted are steps (calls of functions, Python's and C's), never seconds. What a single call costs
inside C is held elsewhere: patterns by `test_patterns.py`, and lengths by the limits checked here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from flask import Flask

from certificates.rules.parse import parse
from courses.blocks import markdown
from courses.blocks.markdown import render
from courses.exchange.course_text import CARDS_MOST, CHARS_MOST, CourseTextError, parse_course
from courses.exchange.path_text import parse_path
from esn.connectors.matrix.connector import Reader as MatrixReader
from esn.connectors.webhook.connector import Reader as WebhookReader
from lms import yaml_text
from lms.errors import DomainError, Invalid
from lms.people.exchange.plan import Snapshot, make_plan
from lms.people.exchange.read import MOST_COLUMNS, read
from lms.people.joining import _free_sign_in_name, plain_line, sort_name
from lms.people.passwords import weakness
from lms.web.i18n import choose_locale
from lms.yaml_text import CHARS_MOST as YAML_CHARS_MOST
from xapi.lrs.reading import read_json
from xapi.lrs.store import prepare

STEPS_A_CHAR = 700
GROWTH = 2.6  # for a text that is twice as long
AT_LEAST = 20_000  # steps that any text may cost, however short
SHORT, LONG = 1_000, 2_000  # characters

# What makes readers of text slow, each repeated until it is long enough.
PIECES = (
    "[", "]", "![", "[a](", "![](", "[[a](b)](c)", "[a]: b\n", "[a][a] ", "\\[", "<", "<a", "<b>",
    "&", "&#1", "*a ", "**a ", "_a", "a*_", "~~a ", "`a ", ">", "> a\n", "- ", "- a\n", "1. ", "# ",
    "a\n", "a  \n", "a\n=\n", "|a|b|\n|-|-|\n", "```\n", "---\n", "\n\n---\n\n", "## a\n\nb\n\n---\n\n",
    " ", "\t", "\n", "\u00a0", "\\", '"', "'", ",", ";", "@", ".", "a@", "a.", "{", "{#", "{#a ", "{a: ",
    "a: ", "a: 1\n", "- - ", "? ", "&a ", "*a", "a: &a [*a]\n", "<<: ", "<<: {a: 1}\n", "!!a ", "0", "1:",
    "1_", "-", "...\n", "%a\n", "(", ")", "/", "é", "\u202e", "\U0001f600", "=", "+", "- [x] a\n  > b\n",
    "a,b\n", "a;", '"a', "de;q=1,", "de-", "x" * 50 + " ",
)  # fmt: skip

NESTED = {
    "aliases": "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n",
    "merges": "a: &a {x: 1}\n"
    + "".join(
        f"{new}: &{new} {{<<: [{','.join([f'*{old}'] * 6)}]}}\n"
        for old, new in zip("abcdefg", "bcdefgh", strict=True)
    ),
    "deep": "".join(" " * level + "a:\n" for level in range(60)),
    "quotes": "".join(">" * level + " a\n" for level in range(60)),
    "lists": "".join("  " * level + "- a\n" for level in range(40)),
    "ticks": "".join("a" + "`" * level for level in range(60)),
}


def course(lesson: str) -> None:
    top = b"---\ntitle: A\nsummary: B\n---\n"
    parse_course({"course.md": top, "01-a.md": lesson.encode()})


def card(text: str) -> None:
    course(f"---\ntitle: A\n---\n{text}")


def statement(text: str) -> None:
    told = {
        "actor": {"name": text, "mbox": f"mailto:{text}@example.test"},
        "verb": {"id": f"http://example.test/{text}", "display": {text[:20]: text}},
        "object": {"id": f"http://example.test/{text}"},
        "timestamp": text,
    }
    prepare(
        [read_json(orjson.dumps(told))], {"account": {"homePage": "http://a.test", "name": "a"}}, 1
    )


def webhook(text: str) -> None:
    WebhookReader("scope", ("work",)).read(
        orjson.dumps({"events": [{"verb": "replied", "actor": text, "object": text, "at": text}]})
    )


def matrix(text: str) -> None:
    content = {"body": text, "formatted_body": text, "m.mentions": {"user_ids": [text]}}
    event = {"type": "m.room.message", "sender": text, "room_id": text, "event_id": text}
    MatrixReader("scope", "@ropes:a.test", {}).read(
        [{**event, "origin_server_ts": 1, "content": content}]
    )


ENTRANCES: dict[str, Callable[[str], Any]] = {
    "YAML": yaml_text.read,
    "the lines at the top of a lesson": lambda text: course(f"---\n{text}\n---\nText"),
    "a value at the top of a lesson": lambda text: course(f"---\ntitle: {text}\n---\nText"),
    "the top of a path": lambda text: parse_path("a", f"---\n{text}\n---\n".encode()),
    "a card": card,
    "the heading of a card": lambda text: card(f"## {text.replace(chr(10), ' ')}x\n\nText"),
    "a mission": lambda text: card(f"Do it.\n\n```mission\n{text}\n```"),
    "an option": lambda text: card(f"Q\n\n- [x] {text}\n  > {text}"),
    "a rule": parse,
    "Markdown that is shown": lambda text: render(text, {}),
    "Markdown that is looked through": lambda text: markdown.text_problems(text, frozenset()),
    "a file of people": lambda text: make_plan(read(text.encode()), Snapshot((), frozenset())),
    "rows of people": lambda text: make_plan(
        read(f"number,name,email,manager\n{text}".encode()), Snapshot((), frozenset())
    ),
    "a name": lambda text: (plain_line(text), sort_name(text), _free_sign_in_name(text or "a")),
    "a password": lambda text: weakness(text[:200], [text[:120]]),
    "a statement": statement,
    "JSON": lambda text: read_json(text.encode()),
    "a delivery": webhook,
    "an event of Matrix": matrix,
}


def steps(call: Callable[[], Any]) -> int:
    """How many calls of functions it takes, Python's and C's."""
    count = 0

    def note(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        call()
    except DomainError:
        pass  # refused, in words
    finally:
        sys.setprofile(None)
    return count


def long(piece: str, chars: int) -> str:
    return (piece * (chars // len(piece) + 1))[:chars]


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_text_costs_in_proportion_to_its_length(app: Flask, entrance: str) -> None:
    read_text = ENTRANCES[entrance]
    steps(lambda: read_text("a"))  # what is set up at first use is not counted
    slow: list[str] = []
    for piece in PIECES:
        once = steps(lambda: read_text(long(piece, SHORT)))  # noqa: B023 - called at once
        twice = steps(lambda: read_text(long(piece, LONG)))  # noqa: B023
        if twice > AT_LEAST + STEPS_A_CHAR * LONG or twice > AT_LEAST + GROWTH * once:
            slow.append(f"{piece!r}: {once} steps, {twice} for twice as much")
    for name, text in NESTED.items():
        taken = steps(lambda: read_text(text))  # noqa: B023
        if taken > AT_LEAST + STEPS_A_CHAR * len(text):
            slow.append(f"{name}: {taken} steps for {len(text)} characters")
    assert not slow, "\n".join(slow)


def test_what_a_browser_says_of_languages_costs_in_proportion(app: Flask) -> None:
    def ask(text: str) -> None:
        with app.test_request_context(headers={"Accept-Language": text.replace("\n", " ")}):
            choose_locale()

    for piece in ("de;q=1,", "de-", ",", ";", "*", "a;q=" + "9" * 20 + ",", "de;q=0.1;q=0.1"):
        once, twice = (steps(lambda: ask(long(piece, chars))) for chars in (SHORT, LONG))  # noqa: B023
        assert twice <= AT_LEAST + GROWTH * once, piece


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x" * (markdown.CHARS_MOST + 1), "too long"),
        ("x" * (markdown.LINE_CHARS_MOST + 1), "line"),
        ("[ " * (markdown.BRACKETS_MOST + 1), "brackets"),
    ],
)
def test_markdown_that_is_too_much_is_shown_as_it_is_and_said_to_be(text: str, says: str) -> None:
    assert says in markdown.text_problems(text, frozenset())[0]
    assert render(f"{text}<b>", {}) == f"<p>{text}&lt;b&gt;</p>"
    assert steps(lambda: render(text, {})) < 100


def test_a_course_has_an_end() -> None:
    with pytest.raises(CourseTextError, match="This file is too long"):
        card("x" * CHARS_MOST)
    with pytest.raises(CourseTextError, match="cards at most"):
        card("a\n\n---\n\n" * (CARDS_MOST + 1))


def test_a_file_of_people_has_few_columns() -> None:
    sheet = read(("email," * (MOST_COLUMNS + 1)).encode())
    assert "columns" in sheet.problems[0].text


YAML_THAT_IS_REFUSED = {
    "a: &a 1": (1, "references"),
    "a: 1\nb: *a": (2, "references"),
    "a: !!python/none": (1, "references"),
    "b: 1\n<<: {a: 1}": (2, "<<"),
    "a: 1\nb: 2\na: 3": (3, "“a” stands twice"),
    "a: {b: 1, b: 2}": (1, "“b” stands twice"),
    "a: 1\n? [b]\n: 1": (2, "a key is a plain word"),
    "a: 1\n---\nb: 2": (2, "---"),
    "a: b: c": (1, "quotation marks"),
    "a: 1\nb: 2026-13-41": (2, "a day"),
    "a: 1\nb: \x07": (2, "character"),
    "a: [[[[[[[[[1]]]]]]]]]": (1, "too deep"),
    "a: 1\nb: " + "[" * 65: (2, "too deep"),
    "a: 1\nb: " + "x" * YAML_CHARS_MOST: (2, "too long"),
}


@pytest.mark.parametrize("text", YAML_THAT_IS_REFUSED, ids=lambda text: text[:20])
def test_yaml_is_refused_with_its_line(text: str) -> None:
    line, says = YAML_THAT_IS_REFUSED[text]
    with pytest.raises(yaml_text.YamlError) as raised:
        yaml_text.read(text)
    assert (raised.value.line, says in raised.value.message) == (line, True), raised.value.message


def test_yaml_is_refused_wherever_people_write_it() -> None:
    """The same sentence, with the line of the file, at each of its entrances."""
    for entrance, line in (
        ("the lines at the top of a lesson", "line 3"),
        ("the top of a path", "line 3"),
        ("a mission", "line 8"),
        ("a rule", "Line 2"),
    ):
        with pytest.raises(Invalid, match=f"{line}: references and tags"):
            ENTRANCES[entrance]("a: 1\nb: *a")
