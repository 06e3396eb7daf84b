"""Errors are sentences that can be translated where they are shown; none of them is bare."""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale

import courses.blocks.choice as choice
import courses.blocks.mission as mission
import courses.blocks.text as text
from certificates.rules.nodes import BadRule
from certificates.rules.parse import parse
from courses.catalogue.cards import CardTextError, problems
from courses.catalogue.document import Card, Document, Lesson
from courses.catalogue.services import create_course
from courses.exchange.course_text import parse_course
from courses.exchange.front import CourseTextError
from courses.exchange.path_text import parse_path
from esn.connectors.contract import NetworkSilent
from lms.db import db
from lms.errors import DomainError, ForMachines, Sentence, from_kept, kept
from lms.people.models import Person
from tests.contract.catalogues import PACKAGES, ROOT
from tests.factories.people import make_person

pytestmark = pytest.mark.house
SignIn = Callable[[Person], FlaskClient]
SAID = {"Sentence", "ForMachines", "_"}
# Which argument is the sentence, where it is not the first.
PLACES = {"CardTextError": 1, "YamlError": 1, "CourseTextError": 2, "refuse": 1}
# What is a sentence already when it gets there, by the words it is written with.
PASSED_ON = {
    "template",  # a parameter of those that take a sentence and its arguments
    "message",
    "advice",
    "said",
    "reasons[why]",
    "sentences[str(error)]",
    "problem.message",
    "error.message",
    "error.why",
    "error.sentence",
    "in_words(error)",  # of an address
    "_UNREADABLE",
    "field.errors[0]",
    "pages.first_error",  # of a form, whose own are translated
}


def error_names() -> set[str]:
    """Return the names of all errors that people are shown."""
    bases = {
        node.name: {getattr(base, "id", getattr(base, "attr", "")) for base in node.bases}
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }
    names = {"DomainError"}
    while more := {name for name, above in bases.items() if above & names} - names:
        names |= more
    machines = {"Refused"}  # the record store answers programs
    while more := {name for name, above in bases.items() if above & machines} - machines:
        machines |= more
    # These make their own sentence.
    return names - machines - {"Edited", "NotReady"} | {"CardTextError", "refuse"}


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
                yield f"{path.relative_to(ROOT)}:{node.lineno}", name, node


def is_sentence(argument: ast.expr, *, literal: bool = True) -> bool:
    """Whether an argument can be translated where it is shown."""
    if isinstance(argument, ast.Constant):
        return literal and isinstance(argument.value, str)
    if isinstance(argument, ast.Call) and getattr(argument.func, "id", "") in SAID:
        return True
    return ast.unparse(argument).partition("(")[0] in PASSED_ON or (
        ast.unparse(argument) in PASSED_ON
    )


def test_no_error_is_raised_with_a_bare_sentence() -> None:
    names = error_names()
    bare = [
        f"{where}: {ast.unparse(node)[:90]}"
        for where, name, node in calls()
        if name in names
        and len(node.args) > PLACES.get(name, 0)
        and not is_sentence(node.args[PLACES.get(name, 0)])
    ]
    assert bare == [], "\n".join(bare)


def test_no_problem_of_a_course_is_a_bare_sentence() -> None:
    bare = [
        f"{where}: {ast.unparse(node)[:90]}"
        for where, name, node in calls()
        if name == "Problem" and where.startswith("courses/")
        and not is_sentence(node.args[0], literal=False)
    ]  # fmt: skip
    assert bare == [], "\n".join(bare)


def broken_document() -> Document:
    """Return a course with everything wrong that its own rules can find."""
    wrong = "\x01 "
    cards = (
        Card("a b", "choice", " two\nlines", {"text": wrong, "options": []}),
        Card(
            "done",
            "choice",
            "",
            {
                "text": "- [ ] an option",
                "options": [
                    {"text": "", "feedback": "", "right": True},
                    {"text": " > x", "feedback": "end ", "right": True},
                ],
            },
        ),
        Card("c", "mission", "", {"text": "", "at_least": 0, "verb": "A B", "client": "\x01"}),
        Card("c", "text", "", {"text": "\n![](elsewhere.png) ![](media/lost.png)\n- [x] box\n"}),
        Card("d", "unheard-of", "", {}),
    )
    lessons = (Lesson("done", "\n", 0, cards), Lesson("done", "Second", 3, ()))
    return Document(" \n", "", "\n", 7.0, "\nx", lessons, {"Bad Name.txt": "0"})


def test_every_problem_of_a_course_is_said_in_the_language_of_its_author(app: Flask) -> None:
    found = [one.message for one in problems(broken_document()) + problems(Document(""))]
    assert len(found) > 30
    assert [said for said in found if not isinstance(said, Sentence)] == []
    assert_translated(app, found)


def assert_translated(app: Flask, found: list[str]) -> None:
    with app.test_request_context():
        for language in ("de", "ar"):
            with force_locale(language):
                same = [
                    said for said in found if isinstance(said, Sentence) and said == said.shown()
                ]
                assert same == []


BROKEN_TEXTS = (
    b"no front matter",
    b"---\ntitle: a\n",
    b"---\n- a\n---\n",
    b"---\ntitle: [a\n---\n",
    b"---\ntitel: a\n---\n",
    b"---\nxyzzy: a\n---\n",
    b"---\nsummary: a\n---\n",
    b"---\ntitle: 7\nsummary: b\n---\n",
    b"---\ntitle: [a]\nsummary: b\n---\n",
    b"---\ntitle: a\nsummary: b\npass_score: high\n---\n",
    b"---\ntitle: " + b"a" * 900 + b"\nsummary: b\n---\n",
    b"\xff\xfe",
)


def test_every_fault_of_a_file_is_said_in_the_language_of_its_author(app: Flask) -> None:
    found: list[str] = []
    for content in BROKEN_TEXTS:
        with pytest.raises(CourseTextError) as raised:
            parse_course({"course.md": content})
        found += [raised.value.advice, raised.value.sentence]
        with pytest.raises(CourseTextError) as raised:
            parse_path("p", content)
        found += [raised.value.advice, raised.value.sentence]
    with pytest.raises(CourseTextError) as raised:
        parse_course({})
    assert_translated(app, [*found, raised.value.advice])


BROKEN_CARDS = (
    (choice.choice_card, "- [ ] a\n  > b"),
    (choice.choice_card, "- [x] a"),
    (choice.choice_card, "- [x]\n  > b"),
    (choice.choice_card, "- [x] a\n> b"),
    (choice.choice_card, "- [x] a\n  > b\nmore"),
    (mission.mission_card, "```mission\nmeasure: a"),
    (mission.mission_card, "```mission\n```\nbelow"),
    (mission.mission_card, "```mission\n[\n```"),
    (mission.mission_card, "```mission\n```"),
    (mission.mission_card, "```mission\nmesure: a\n```"),
    (mission.mission_card, "```mission\nmeasure: 7\n```"),
    (mission.mission_card, "```mission\nat_least: 7\n```"),
)


@pytest.mark.parametrize(("kind", "body"), BROKEN_CARDS)
def test_every_fault_of_a_card_is_said_in_the_language_of_its_author(
    app: Flask, kind: text.TextCard, body: str
) -> None:
    with pytest.raises(CardTextError) as raised:
        kind.parse(body, frozenset())
    assert_translated(app, [raised.value.message])


BROKEN_RULES = (
    "",
    "a: &b 1",
    "[",
    "slug: x",
    "slug: X\ntitle: a\nrequires: {all: []}",
    "slug: x\ntitle: ''\nrequires: {all: []}",
    "slug: x\ntitle: a\nslug: y",
    "slug: x\ntitle: a\nlanguage: Deutsch\nrequires: {all: [{completed: course/a, title: t}]}",
    "slug: x\ntitle: a\nrequires: {all: []}",
    "slug: x\ntitle: a\nrequires: {all: [{title: t}]}",
    "slug: x\ntitle: a\nrequires: {all: [{completed: a, title: t}]}",
    "slug: x\ntitle: a\nrequires: {some: []}",
    "slug: x\ntitle: a\nrequires: {all: [{id: a, title: t, usage: {}}]}",
    "slug: x\ntitle: a\nrequires: {all: [{id: a, title: t, usage: {verb: sang}}]}",
    "slug: x\ntitle: a\nrequires: {all: [{id: a, title: t, usage: {verb: any, at_least: 0}}]}",
    "slug: x\ntitle: a\nrequires: {all: [{id: a, title: t, usage: {verb: any}, within: 3}]}",
)


@pytest.mark.parametrize("rule", BROKEN_RULES)
def test_every_fault_of_a_rule_is_said_in_the_language_of_the_administrator(
    app: Flask, rule: str
) -> None:
    with pytest.raises(BadRule) as raised:
        parse(rule)
    assert_translated(app, [raised.value.sentence])


@pytest.fixture
def desk(app: Flask, sign_in: SignIn) -> FlaskClient:
    """A browser of somebody who writes and administers, in German."""
    browser = sign_in(make_person(is_author=True, is_administrator=True, language="de"))
    create_course("broken", broken_document())
    db.session.commit()
    return browser


def zipped(name: str, content: bytes) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr(name, content)
    made.seek(0)
    return made


def test_what_an_author_does_wrong_is_answered_in_german(desk: FlaskClient) -> None:
    page = desk.get("/courses/authoring/broken/publish").text
    assert "Gib dem Kurs eine Zusammenfassung" in page
    assert "Give the course" not in page
    sent = zipped("course.md", b"---\ntitel: a\n---\n")
    page = desk.post("/courses/authoring/import", data={"file": (sent, "course.zip")}).text
    assert "course.md, Zeile 2: „titel“ ist hier nicht bekannt. Meintest du „title“?" in page
    page = desk.get("/courses/nowhere/").text
    assert "Diesen Kurs gibt es hier nicht." in page


def test_what_an_administrator_does_wrong_is_answered_in_german(desk: FlaskClient) -> None:
    page = desk.post("/certificates/administration/rule", data={"text": "slug: x\nslug: y"}).text
    assert "Zeile 2: „slug“ steht zweimal." in page
    page = desk.get("/esn/connectors/nowhere").text
    assert "Diesen Konnektor gibt es nicht." in page


def test_the_command_line_and_the_log_say_it_in_english(app: Flask) -> None:
    error = DomainError("A lesson takes 1 to %(most)s minutes.", most=60)
    with app.test_request_context(), force_locale("de"):
        assert str(error) == "A lesson takes 1 to 60 minutes."
        assert error.message == "Eine Lektion dauert 1 bis 60 Minuten."
        assert DomainError(ForMachines("100 % English")).message == "100 % English"


def test_a_sentence_that_was_kept_is_said_in_the_language_of_whoever_reads_it(app: Flask) -> None:
    sentence = NetworkSilent("The homeserver asks us to wait (%(status)s).", status=429).sentence
    with app.test_request_context(), force_locale("de"):
        assert from_kept(kept(sentence)).shown() == "Der Homeserver bittet uns zu warten (429)."
        assert from_kept(kept(Sentence("There is no such group."))) == "There is no such group."


def test_a_value_in_a_sentence_cannot_be_a_sentence_of_its_own(app: Flask) -> None:
    error = DomainError("“%(key)s” stands twice.", key="%(other)s 100 %")
    with app.test_request_context(), force_locale("de"):
        assert error.message == "„%(other)s 100 %“ steht zweimal."
