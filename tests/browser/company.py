"""A company with something on every page, and the addresses that no sample leads to.

`furnish(live)` fills a fresh app: the shipped library, a team in all states, a certificate earned
and one under way, a network that is well and one that needs somebody, a statement that was
refused. `SCENES` name the pages in a state that the plain sample of their route does not show.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import select, update
from werkzeug.routing import Rule

from certificates.awards import give, revoke
from certificates.catalogue import get_offered, load_library
from certificates.documents import find_document
from certificates.models import Award, DocumentState
from certificates.rules.compile import Standing
from courses.authoring import services as authoring
from courses.catalogue.services import draft_of, get_course
from courses.exchange.library import load_library as load_courses
from courses.paths.enrolment import enrol
from courses.paths.models import Path
from courses.progress.walk import take
from esn.ledger.groups import note_groups
from esn.models import Delivery, Usage
from lms import clock
from lms.db import db
from lms.jobs.queue import run_pending
from lms.people import joining
from lms.people.codes import ask, open_unsent
from lms.people.exchange.files import keep_file
from lms.people.models import Person, SignInCode
from lms.teams.nudges import nudge
from tests.browser.conftest import Live, session_cookie
from tests.contract.samples import NoSample, Samples
from tests.factories.courses import make_course
from tests.factories.esn import act, deliver, make_connector
from tests.factories.people import make_person, make_unit
from xapi.delivery.outcome import Outcome, Verdict
from xapi.delivery.queue import failed, park
from xapi.delivery.target import Waiting
from xapi.outbox.models import OutboxStatement

WRONG_FILE = (
    b"Personnel no.;Name;E-mail;Manager\n"
    b"7001;Ines Carvalho;ines@example.test;\n"
    b"7002;Ola Nordmann;not an address;7001\n"
    b"7001;Ines Carvalho;ines@example.test;7002\n"
)
RIGHT_FILE = b"Personnel no.;Name;E-mail\n7001;Ines Carvalho;ines@example.test\n"


@dataclass(frozen=True)
class Scene:
    """A page in one state: its route, what is to be seen, by whom, and how one gets there."""

    endpoint: str
    state: str
    who: str
    path: str
    status: int = 200
    prepare: Callable[[Page, str], None] | None = None  # with the address of the house


class Company:
    """Who opens the pages, by role, and where each route leads: plain values, no open session."""

    def __init__(
        self, live: Live, people: dict[str, Person], values: dict[str, Any], scenes: list[Scene]
    ) -> None:
        self.live, self.scenes = live, scenes
        self.cookies = {who: session_cookie(live, one) for who, one in people.items()}
        self.addresses: dict[str, str] = {}
        self.lacking: list[str] = []
        samples = _Values(people["learner"], values)
        bound = live.app.url_map.bind("localhost")
        for rule in pages_of(live.app):
            try:
                filled = samples.values(rule)
            except NoSample as error:
                self.lacking.append(str(error))
            else:
                self.addresses[rule.rule] = bound.build(rule.endpoint, filled, method="GET")
        db.session.commit()
        db.session.remove()

    def speak(self, language: str) -> None:
        """Have everybody read the pages in this language."""
        with self.live.app.app_context():
            db.session.execute(update(Person).values(language=language))
            db.session.commit()


def pages_of(app: Flask) -> list[Rule]:
    """Return the routes that a browser can open, files of the packages aside."""
    return sorted(
        (
            rule
            for rule in app.url_map.iter_rules()
            if "GET" in (rule.methods or ()) and not rule.endpoint.endswith(".static")
        ),
        key=lambda rule: rule.rule,
    )


class _Values(Samples):
    """The samples of the packages; what the company has made itself goes before them."""

    def __init__(self, owner: Person, own: dict[str, Any]) -> None:
        super().__init__(owner)
        self.own = own

    def _value(self, rule: Rule, name: str) -> Any:
        key = f"{rule.endpoint}:{name}"
        return self.own[key] if key in self.own else super()._value(rule, name)


def furnish(live: Live) -> Company:
    """Fill a fresh app; see the module."""
    load_courses()
    load_library()
    db.session.commit()
    plant, office = make_unit("Plant"), make_unit("Office")
    top = make_person("Greta Halden", unit_id=office.id)
    boss = make_person("Leila Haddad", top, unit_id=plant.id, job_role="shift leader")
    imani = make_person("Imani Okafor", boss, unit_id=plant.id, job_role="driver")
    people = {
        "learner": imani,
        "manager": boss,
        "author": make_person("Priya Raman", top, is_author=True),
        "administrator": make_person("Jonas Brandt", top, is_administrator=True),
        # Every place is in this menu.
        "everything": make_person("Ingrid Solberg", is_author=True, is_administrator=True),
    }
    make_person("Aiko Mori", people["everything"])
    team = [
        make_person(name, boss, unit_id=unit.id)
        for name, unit in (
            ("Tomasz Wrona", plant),
            ("Maximiliane Freifrau von Hohenstein-Ledebur", office),
            ("Ola Nordmann", plant),
            ("يوسف الحداد", office),
        )
    ]
    _learn([imani, *team], boss)
    values = _certify(live, imani, team[0])
    values |= _connect(live.app, imani)
    values |= _write(people["author"])
    values["people_files.preview:file_uid"] = keep_file(
        WRONG_FILE, "people-with-mistakes.csv", people["administrator"]
    ).uid
    db.session.commit()
    _refuse()
    return Company(live, people, values, _scenes(people, values))


def furnish_nothing(live: Live) -> Company:
    """One person who may do everything, in a house with nothing in it."""
    alone = make_person("Imani Okafor", is_author=True, is_administrator=True, is_manager=True)
    return Company(live, {"learner": alone}, {}, [])


def _learn(team: list[Person], boss: Person) -> None:
    paths = {one.slug: one for one in db.session.scalars(select(Path))}
    first = paths["first-30-days"]
    now = clock.now()
    with clock.travel(now - dt.timedelta(days=40)):
        enrol(first, [one.id for one in team])
    enrol(paths["community-manager"], [team[0].id])
    why, question, aloud = (
        get_course(one)
        for one in (
            "why-we-have-a-network",
            "ask-a-question-that-gets-an-answer",
            "work-out-loud-safely",
        )
    )
    for course in (why, question, aloud):
        take(team[2], course)
    take(team[0], why)
    take(team[0], question, 5)
    take(team[1], why, 2)
    nudge(boss, team[0].id, [first.title, "Keep a community alive"])
    db.session.commit()


def _certify(live: Live, imani: Person, tomasz: Person) -> dict[str, Any]:
    """Three awards: printed, waiting for its paper, revoked."""
    ours = []
    for person, slug in (
        (imani, "visible-leader"),
        (imani, "leading-in-the-open"),
        (tomasz, "connected-colleague"),
    ):
        certificate = get_offered(slug)
        every = [one.id for one in certificate.rule.conditions]
        met = dict.fromkeys(every, True)
        award = give(certificate, Standing(person.id, True, dict.fromkeys(every, 1), met, met))
        assert award is not None
        ours.append(award)
    db.session.commit()
    run_pending()
    printed, broken, revoked = ours
    revoke(revoked, "Given before the last condition was met.", None)
    paper = find_document(broken.id)
    assert paper is not None
    paper.state, paper.sha256, paper.attempts = DocumentState.WAITING, "", 2
    paper.due_at = clock.now() + dt.timedelta(minutes=5)
    db.session.commit()
    return {
        "certificates.award:award_uid": printed.uid,
        "certificates.paper:award_uid": printed.uid,
        "certificates_admin.award:award_uid": printed.uid,
        "certificates_verify.show:code": printed.code,
        "certificates.earn:slug": "community-builder",
    }


def _connect(app: Flask, imani: Person) -> dict[str, Any]:
    """Connect a network with acts, groups and unknown accounts, and one that cannot be read."""
    connector, secret = make_connector("Halden Square")
    client = app.test_client()
    acts = [
        act("u1", verb, group=group, recipient=recipient, client="mobile")
        for verb, group, recipient in (
            ("replied", "g1", "u2"),
            ("posted", "g2", None),
            ("replied", "g2", "u3"),
        )
    ]
    assert imani.identity is not None
    accounts = [{"id": "u1", "email": imani.identity.email}, {"id": "u9"}]
    acts = [{key: value for key, value in one.items() if value is not None} for one in acts]
    assert deliver(client, connector, secret, acts, accounts).status_code == 202
    run_pending()
    keys = [key for key in db.session.scalars(select(Usage.group_key).distinct()) if key]
    names = ["Running club", "Field notes, the long-distance drivers of the north and the west"]
    note_groups(
        connector.id,
        [
            {"group": key, "open": True, "name": name}
            for key, name in zip(sorted(keys), names, strict=False)
        ],
    )
    silent, _secret = make_connector("Halden Yammer")
    db.session.add(
        Delivery(connector_id=silent.id, key="1" * 32, received_at=clock.now(), payload={}, tries=9)
    )
    db.session.commit()
    return {"web": connector.uid, "silent": silent.uid}


def _write(author: Person) -> dict[str, Any]:
    """A course with a card of every kind, published, and changed since."""
    course = make_course("how-we-ask", title="How we ask")
    lesson = draft_of(course).lessons[1].id
    authoring.add_card(course, lesson, "text", {"text": "One thing more."}, None, author.id)
    empty = authoring.start_course("A course to be", "Nothing in it yet.", author.id)
    db.session.commit()
    return {
        "authoring.course:slug": course.slug,
        "authoring.history:slug": course.slug,
        "authoring.publish:slug": course.slug,
        "empty course": empty.slug,
    }


def _refuse() -> None:
    """Set two statements aside as a record store refused them, and have the store fail."""
    rows = db.session.execute(
        select(OutboxStatement.id, OutboxStatement.statement_id).limit(2)
    ).all()
    words = "object.definition.name: expected a language map, got “true” at position 118"
    for row in rows:
        one = Waiting(row.id, row.statement_id, "", 0)
        park("embedded", one, Outcome(Verdict.REFUSED, 400, words))
    later = clock.now() + dt.timedelta(minutes=4)
    failed("embedded", "", Outcome(Verdict.LATER, 503, "Down for maintenance until ten."), later)


def _scenes(people: dict[str, Person], values: dict[str, Any]) -> list[Scene]:
    """Return the pages in the states that no sample shows."""
    award = select(Award.uid, Award.code).order_by(Award.id).limit(3)
    _printed, broken, revoked = db.session.execute(award).all()
    administrator = people["administrator"]
    good = keep_file(RIGHT_FILE, "people.csv", administrator).uid
    used_up = joining.make_link(administrator, days=1, most_uses=1)
    closed = joining.make_link(administrator, days=1, most_uses=5)
    joining.join(used_up, "Somebody New", None)
    joining.close_link(closed, administrator)
    waiting = ask(people["learner"].identity.email) if people["learner"].identity else ""
    code = db.session.scalar(select(SignInCode).where(SignInCode.uid == waiting))
    assert code is not None
    words = open_unsent(code.unsent or b"")
    assert words is not None
    token = words["token"]
    db.session.commit()
    path = "/courses/why-we-have-a-network"
    return [
        Scene("web.home", "everything", "everything", "/"),
        Scene("web.home", "a manager", "manager", "/"),
        Scene("web.home", "no such page", "learner", "/no-such-page", 404),
        Scene("teams.team", "nobody fits", "manager", "/team?name=zzz"),
        Scene("teams.team", "everything", "everything", "/team"),
        Scene("people.sign_in", "a way back", "", "/sign-in?next=/certificates"),
        Scene("people.enter_code", "after asking", "", "/sign-in", prepare=_ask_for_code),
        Scene("people.by_link", "a link that works", "", f"/sign-in/by-link/{token}"),
        Scene("people.by_password", "a wrong one", "", "/sign-in/password", prepare=_wrong),
        Scene("people.join", "used up", "", f"/join/{joining.token_of(used_up)}", 410),
        Scene("people.join", "closed", "", f"/join/{joining.token_of(closed)}", 410),
        Scene("people_links.link", "closed", "administrator", f"/people/links/{closed.uid}"),
        Scene("people_files.preview", "no mistakes", "administrator", f"/people/import/{good}"),
        Scene("people_admin.everybody", "nobody", "administrator", "/people/?words=zzz"),
        Scene(
            "certificates.award", "being printed", "learner", f"/certificates/awards/{broken.uid}"
        ),
        Scene("certificates_verify.show", "revoked", "", f"/certificates/verify/{revoked.code}"),
        Scene("certificates_verify.show", "unknown", "", f"/certificates/verify/{'7' * 28}", 404),
        Scene("certificates_verify.ask", "half a code", "", "/certificates/verify?code=7Q2"),
        Scene(
            "certificates_admin.award",
            "revoked",
            "administrator",
            f"/certificates/administration/awards/{revoked.uid}",
        ),
        Scene("esn.connector", "a webhook", "administrator", f"/esn/connectors/{values['web']}"),
        Scene("esn.connector", "in need", "administrator", f"/esn/connectors/{values['silent']}"),
        Scene("esn.new", "Matrix", "administrator", "/esn/connectors/new/matrix"),
        Scene("xapi.statements", "narrowed", "administrator", "/xapi/browser?since=2026-01-01"),
        Scene("xapi.statements", "none fits", "administrator", "/xapi/browser?until=2020-01-01"),
        Scene("courses.course", "finished", "learner", f"{path}/"),
        Scene("courses.course_done", "finished", "learner", f"{path}/done"),
        Scene("courses.path", "under way", "learner", "/courses/paths/first-30-days"),
        Scene(
            "authoring.course",
            "empty",
            "author",
            f"/courses/authoring/{values['empty course']}/",
        ),
        Scene(
            "authoring.publish",
            "cannot yet",
            "author",
            f"/courses/authoring/{values['empty course']}/publish",
        ),
    ] + [
        Scene("authoring.card", card, "author", f"/courses/authoring/how-we-ask/cards/{card}")
        for card in ("which", "several", "mission")
    ]


def _ask_for_code(page: Page, base: str) -> None:
    page.goto(f"{base}/sign-in")
    page.locator("#who").fill("nobody@example.test")
    page.locator("#who").press("Enter")
    page.wait_for_url("**/sign-in/code")


def _wrong(page: Page, base: str) -> None:
    page.goto(f"{base}/sign-in/password")
    page.locator("#who").fill("imani@example.test")
    page.locator("#password").fill("not the one it is")
    page.locator("#password").press("Enter")
    page.locator("[aria-invalid], .notice, .error").first.wait_for()
