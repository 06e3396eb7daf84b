"""What people wrote carries its own language and direction, whatever language the page speaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale

from certificates.awards import give
from certificates.catalogue import get_offered, publish
from certificates.models import Award, Origin
from certificates.rendering.page import build_page
from certificates.rules.compile import Standing
from courses.catalogue.document import Card, Document, Lesson
from courses.catalogue.services import draft_of, save_draft
from courses.paths.enrolment import enrol
from courses.progress.walk import take
from lms.db import db
from lms.notices.models import Notice
from lms.notices.services import kinds
from lms.notices.words import mail_parts
from lms.people.models import Person
from tests.contract.test_access import rules
from tests.contract.written import read, wrong_places
from tests.factories.courses import make_course, make_path
from tests.factories.people import make_person, make_unit

SignIn = Callable[[Person], FlaskClient]
WORDS = {"de": "Guten Tag. Xde!", "ar": "مرحبا بكم. Xar!", "en": "Good day. Xen!"}


def document(language: str) -> Document:
    words = WORDS[language]
    option = {"text": words, "feedback": words}
    cards = (
        Card("text", "text", words, {"text": words}),
        Card(
            "question",
            "choice",
            words,
            {
                "text": words,
                "multiple": False,
                "options": [option | {"right": True}, option | {"right": False}],
            },
        ),
        Card(
            "mission",
            "mission",
            words,
            {"text": words, "measure": "esn.acts", "verb": "posted", "at_least": 1},
        ),
    )
    lessons = (
        Lesson("one", words, 3, cards),
        Lesson("two", words, 3, (Card("end", "text", words, {"text": words}),)),
    )
    return Document(words, words, language, 0.5, words, lessons)


def certificate(language: str) -> str:
    words = WORDS[language]
    return f"""
slug: certificate-{language}
title: "{words}"
summary: "{words}"
language: {language}
requires:
  all:
    - completed: course/begun-{language}
      title: "{words}"
      proved: "{words}"
    - id: posts
      title: "{words}"
      usage: {{verb: posted, at_least: 2}}
"""


class House:
    """A company that writes in three languages: who opens which address."""

    def __init__(self) -> None:
        unit = make_unit("فريقXname unit.")
        self.boss = make_person("سلمىXname Boss", is_author=True, is_administrator=True)
        self.learner = make_person(
            "ليلىXname Learner", manager=self.boss, unit_id=unit.id, job_role="بائعةXname role."
        )
        self.awards = {language: self._write(language) for language in WORDS}
        db.session.commit()

    def _write(self, language: str) -> Award:
        begun = make_course(f"begun-{language}", document(language))
        done = make_course(f"done-{language}", document(language))
        make_course(f"other-{language}", document(language))
        facts = dict.fromkeys(
            ("title", "summary", "description", "use_case", "business_objective", "owner_title"),
            WORDS[language],
        )
        path = make_path(begun, done, slug=f"path-{language}", language=language, **facts)
        enrol(path, [self.learner.id])
        take(self.learner, done)
        take(self.learner, begun, cards=2)
        save_draft(begun, draft_of(begun), 1)
        publish(certificate(language), Origin.ADMINISTRATOR)
        publish(certificate(language).replace("certificate-", "held-"), Origin.ADMINISTRATOR)
        held = get_offered(f"held-{language}")
        ids = [one.id for one in held.rule.conditions]
        met = dict.fromkeys(ids, True)
        award = give(held, Standing(self.learner.id, True, dict.fromkeys(ids, 1), met, met))
        assert award is not None
        return award


LEARNER = (
    "/",
    "/courses/",
    "/courses/begun-{l}/",
    "/courses/begun-{l}/one/text",
    "/courses/begun-{l}/one/question",
    "/courses/begun-{l}/one/mission",
    "/courses/begun-{l}/one/done",
    "/courses/done-{l}/done",
    "/courses/paths/path-{l}",
    "/certificates",
    "/certificates/earn/certificate-{l}",
    "/certificates/awards/{award}",
    "/certificates/verify/{code}",
    "/notices",
)
BOSS = (
    "/courses/preview/begun-{l}/",
    "/courses/preview/begun-{l}/question?act=answer&response=0",
    "/courses/authoring/",
    "/courses/authoring/begun-{l}/",
    "/courses/authoring/begun-{l}/about",
    "/courses/authoring/begun-{l}/put-away",
    "/courses/authoring/begun-{l}/discard",
    "/courses/authoring/begun-{l}/publish",
    "/courses/authoring/begun-{l}/history",
    "/courses/authoring/begun-{l}/history/1/restore",
    "/courses/authoring/begun-{l}/lessons/one",
    "/courses/authoring/begun-{l}/lessons/one/remove",
    "/courses/authoring/begun-{l}/cards/text",
    "/courses/authoring/begun-{l}/cards/question",
    "/courses/authoring/begun-{l}/cards/mission",
    "/courses/authoring/begun-{l}/cards/text/remove",
    "/team",
    "/team/people/{learner}",
    "/certificates/administration",
    "/certificates/administration/rule/certificate-{l}",
    "/certificates/administration/awards/{award}",
    "/people/",
    "/people/{learner}",
    "/people/{learner}/erase",
    "/people/units",
)
# Pages on which nothing stands that anybody wrote, and what is no page.
NOTHING_WRITTEN = frozenset(
    {
        "authoring.new_course",
        "certificates.paper",
        "certificates_admin.rule",  # the text of a rule is code
        "certificates_verify.ask",
        "courses.lesson",
        "courses.pack",
        "courses.picture",
        "courses.state",
        "courses.worker",
        "teams.export",
        "people_admin.add",
        "people_admin.export",
        "people_admin.unit",
        "notices.mail",
        "notices.stopping",
        "web.audit_log",  # slugs and titles as they were noted, each in a <bdi>
        "web.audit_log_of",
        "web.change_password",
        "web.healthz",
        "web.security_txt",
        "web.settings",
        "web.static",
    }
)
BLUEPRINTS = {"web", "courses", "authoring", "certificates", "certificates_verify"} | {
    "certificates_admin", "teams", "notices", "people_admin"
}  # fmt: skip


@pytest.fixture
def house(app: Flask) -> House:
    return House()


def addresses(house: House, patterns: tuple[str, ...]) -> dict[str, str]:
    """Return the language of each address; "" where all of them are on one page."""
    return {
        pattern.format(
            l=language,
            award=house.awards[language].uid,
            code=house.awards[language].code,
            learner=house.learner.uid,
        ): language if "{l}" in pattern or "{award}" in pattern or "{code}" in pattern else ""
        for pattern in patterns
        for language in WORDS
    }


@pytest.mark.parametrize("interface", ["en", "ar"])
@pytest.mark.parametrize(("who", "patterns"), [("learner", LEARNER), ("boss", BOSS)])
def test_every_text_stands_in_its_own_language_and_direction(
    app: Flask, sign_in: SignIn, house: House, interface: str, who: str, patterns: tuple[str, ...]
) -> None:
    person = getattr(house, who)
    person.language = interface
    db.session.commit()
    browser = sign_in(person)
    faults = []
    for address, language in addresses(house, patterns).items():
        answer = browser.get(address, follow_redirects=True)
        assert answer.status_code == 200, address
        texts = read(answer.text)
        if "/rule/" in address:
            continue  # the text of a rule is code, written from left to right
        faults += [f"{address}: {fault}" for fault in texts.faults]
        if language:
            assert language in texts.marks, address
    assert faults == [], "\n".join(faults)


def test_no_page_is_forgotten(app: Flask, sign_in: SignIn, house: House) -> None:
    adapter = app.url_map.bind("localhost")
    opened = set()
    for address in addresses(house, LEARNER + BOSS):
        opened.add(adapter.match(address.partition("?")[0], method="GET")[0])
    there = {
        rule.endpoint
        for rule in rules(app)
        if "GET" in (rule.methods or ()) and rule.endpoint.partition(".")[0] in BLUEPRINTS
    }
    assert there - opened - NOTHING_WRITTEN == set()


def test_what_a_phone_keeps_for_a_journey_is_marked_as_well(
    app: Flask, sign_in: SignIn, house: House
) -> None:
    house.learner.language = "en"
    db.session.commit()
    pack = sign_in(house.learner).get("/courses/pack/begun-ar/one").get_json()
    pages = [card["html"] for card in pack["cards"]] + [pack["offline"]]
    assert [fault for page in pages for fault in wrong_places(page)] == []


@pytest.mark.parametrize("language", sorted(WORDS))
def test_the_paper_speaks_the_language_of_its_rule(app: Flask, house: House, language: str) -> None:
    with app.test_request_context():
        page = build_page(house.awards[language], "ليلىXname Learner")
    texts = read(page)
    assert language in texts.marks
    assert texts.faults == []


@pytest.mark.parametrize("interface", ["en", "ar"])
def test_titles_in_mails_do_not_turn_the_sentence_around(
    app: Flask, house: House, interface: str
) -> None:
    for notice in db.session.query(Notice).filter_by(person_id=house.learner.id):
        with app.test_request_context(), force_locale(interface):
            subject, text, html = mail_parts(notice, kinds()[notice.kind])
        mixed = interface == "ar" or "Xar" in subject
        assert ("\u2068" in subject and "\u2068" in text) is mixed, subject
        if app.jinja_env.list_templates(filter_func=f"{kinds()[notice.kind].template}.html".__eq__):
            assert [f for f in wrong_places(html or "") if "<" in f] == []
