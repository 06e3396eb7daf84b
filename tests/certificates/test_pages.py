"""What the learner, anybody with a code, the manager and the administrator see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from certificates import codes, documents, verification
from certificates.columns import columns
from certificates.models import Award, RuleVersion
from lms import clock
from lms.audit import AuditEntry
from lms.db import db
from lms.events import PeopleChanged, PersonErased, publish
from lms.jobs.queue import queue, run_pending
from lms.notices.models import Notice
from lms.notices.services import kinds
from lms.notices.words import mail_parts
from lms.people.models import Identity, Person
from tests.certificates import facts
from tests.factories.people import make_person
from tests.queries import counted
from tests.reading import sentences

SignIn = Callable[[Person], FlaskClient]


@pytest.fixture
def imani(house: Flask) -> Person:
    return make_person("Imani Okafor")


def earn(person: Person, printed: bool = True) -> Award:
    facts.earn_connected(person)
    queue().run("certificates.evaluate")
    if printed:
        run_pending()
    return db.session.scalars(select(Award).where(Award.person_id == person.id)).one()


def test_the_learner_sees_each_condition_how_far_it_is_and_what_is_missing(
    imani: Person, sign_in: SignIn
) -> None:
    facts.complete(imani)
    facts.answer(imani, 901)
    facts.answer(imani, 902)
    shown = sign_in(imani).get("/certificates/earn/connected-colleague").text
    assert "1 done, 3 to go." in shown  # no network says which device is used
    assert "never what you wrote" in shown
    assert "2 of 3" in shown
    assert "One more person." in shown
    assert 'href="https://network.example/"' in shown
    assert shown.count('class="dot done"') == 1
    assert shown.count('class="dot partly"') == 2
    assert "From your phone" not in shown
    assert "Check now" in shown


def test_check_now_gives_the_certificate_at_once(imani: Person, sign_in: SignIn) -> None:
    browser = sign_in(imani)
    answer = browser.post("/certificates/earn/connected-colleague/check", follow_redirects=True)
    assert "Looked again just now" in answer.text
    facts.earn_connected(imani)
    answer = browser.post("/certificates/earn/connected-colleague/check", follow_redirects=True)
    assert "You have earned it: Connected Colleague." in answer.text
    assert "is being printed" in answer.text
    assert 'data-look-again-seconds="3"' in answer.text
    assert '<noscript><meta http-equiv="refresh"' in answer.text  # without JavaScript as well


def test_a_paper_that_is_not_there_yet_leads_to_the_page_that_waits(
    imani: Person, sign_in: SignIn
) -> None:
    award = earn(imani, printed=False)
    browser = sign_in(imani)
    assert browser.get(f"/certificates/awards/{award.uid}/paper.pdf").status_code == 302
    run_pending()
    shown = browser.get(f"/certificates/awards/{award.uid}").text
    assert "look-again" not in shown
    assert "http-equiv" not in shown
    assert "Download the certificate" in shown
    paper = browser.get(f"/certificates/awards/{award.uid}/paper.pdf")
    assert paper.mimetype == "application/pdf"
    assert paper.data.startswith(b"%PDF-")
    assert "Connected Colleague - Imani Okafor.pdf" in paper.headers["Content-Disposition"]
    assert paper.headers["Cache-Control"] == "no-store"
    paper.close()


def test_a_file_that_is_lost_is_printed_again(imani: Person, sign_in: SignIn) -> None:
    award = earn(imani)
    document = documents.find_document(award.id)
    assert document is not None
    documents.path_of(document.sha256).unlink()
    browser = sign_in(imani)
    shown = browser.get(f"/certificates/awards/{award.uid}/paper.pdf", follow_redirects=True).text
    assert "Print it again" in shown
    browser.post(f"/certificates/awards/{award.uid}/print")
    run_pending()
    with browser.get(f"/certificates/awards/{award.uid}/paper.pdf") as paper:
        assert paper.status_code == 200


@pytest.mark.parametrize("who", ["manager", "colleague", "administrator"])
def test_nobody_but_the_holder_gets_the_paper(house: Flask, sign_in: SignIn, who: str) -> None:
    boss = make_person("Jonas Brandt")
    award = earn(make_person("Imani Okafor", manager=boss))
    other = {
        "manager": boss,
        "colleague": make_person(),
        "administrator": make_person(is_administrator=True),
    }[who]
    browser = sign_in(other)
    for path in ("", "/paper.pdf"):
        assert browser.get(f"/certificates/awards/{award.uid}{path}").status_code == 404


def test_the_first_page_tells_the_nearest_certificate(imani: Person, sign_in: SignIn) -> None:
    facts.complete(imani)
    shown = sign_in(imani).get("/").text
    assert "Your certificate: 1 of 4" in shown
    assert "One more person." in shown
    assert "/certificates/earn/connected-colleague" in shown


def test_the_list_offers_what_fits_the_role_and_keeps_what_is_held(
    house: Flask, sign_in: SignIn
) -> None:
    manager = make_person("Jonas Brandt", job_role="People Manager")
    driver = make_person("Tomasz Wrona", job_role="driver")
    assert "Leading in the Open" in sign_in(manager).get("/certificates").text
    shown = sign_in(driver).get("/certificates").text
    assert "Leading in the Open" not in shown
    assert "Connected Colleague" in shown
    earn(driver)
    shown = sign_in(driver).get("/certificates").text
    assert "You have earned one" in shown


def test_what_is_meant_for_others_is_there_once_most_of_it_is_done(
    house: Flask, sign_in: SignIn
) -> None:
    driver = make_person("Tomasz Wrona", job_role="driver")
    browser = sign_in(driver)
    for recipient in range(901, 906):
        facts.answer(driver, recipient)
    facts.complete(driver, "path/people-manager")
    assert "Leading in the Open" not in browser.get("/certificates").text  # two of five
    for _post in range(3):
        facts.note(driver, "posted", day=20_000)
    assert "Leading in the Open" in browser.get("/certificates").text
    assert "Visible Leader" not in browser.get("/certificates").text


def test_anybody_with_the_code_sees_every_printed_line(imani: Person, client: FlaskClient) -> None:
    award = earn(imani)
    shown = sentences(client.get(f"/certificates/verify/{award.code}").text)
    printed = verification.printed_of(award)
    for line in (
        "This certificate is genuine",
        "Verified by Halden Freight",
        "Imani Okafor",
        printed.title,
        printed.summary,
        f"{clock.now():%-d %B %Y}",
        *printed.proved,
        codes.grouped(award.code),
        award.evidence_digest[:12],
        "in force, as of today",
        "three different people at least",
    ):
        assert line in shown
    assert "noindex" in shown


def test_a_code_may_be_typed_as_people_type(imani: Person, client: FlaskClient) -> None:
    award = earn(imani)
    typed = codes.grouped(award.code).lower().replace("0", "o").replace("1", "l")
    answer = client.get("/certificates/verify", query_string={"code": f"  {typed} "})
    assert answer.location == f"/certificates/verify/{award.code}"
    assert client.get(f"/certificates/verify/{typed}").status_code == 200
    assert "not a whole code" in client.get("/certificates/verify?code=7KQ4").text


def test_every_other_code_is_the_same_404(imani: Person, client: FlaskClient) -> None:
    award = earn(imani)
    near = award.code[:-1] + ("0" if award.code[-1] != "0" else "1")
    answers = {
        client.get(f"/certificates/verify/{code}").text
        for code in (near, codes.new_code(), "x", "%27%20OR%201=1", str(award.id), award.uid)
    }
    answers = {text.split("nonce=")[0] for text in answers}
    assert len(answers) == 1
    assert client.get(f"/certificates/verify/{near}").status_code == 404


@pytest.mark.usefixtures("in_mid_stretch")
def test_looking_up_codes_is_limited(imani: Person, client: FlaskClient) -> None:
    award = earn(imani)
    statuses = [
        client.get(f"/certificates/verify/{codes.new_code()}").status_code for _ in range(121)
    ]
    assert statuses.count(404) == 120
    assert client.get(f"/certificates/verify/{award.code}").status_code == 429
    with clock.travel(clock.now() + dt.timedelta(minutes=16)):
        assert client.get(f"/certificates/verify/{award.code}").status_code == 200


def test_codes_hold_140_bits_and_survive_paper() -> None:
    made = {codes.new_code() for _ in range(500)}
    assert len(made) == 500
    for code in made:
        assert len(code) == 28
        assert codes.normalise(codes.grouped(code).lower()) == code
    assert codes.normalise("7" * 27) is None
    assert codes.normalise("U" * 28) is None
    assert codes.normalise("7" * 5000) is None


def test_an_erased_holder_is_said_to_be_removed(imani: Person, client: FlaskClient) -> None:
    award = earn(imani)
    db.session.delete(db.session.get_one(Identity, imani.id))
    publish(PersonErased(imani.id))
    db.session.commit()
    shown = client.get(f"/certificates/verify/{award.code}").text
    assert "Imani" not in shown
    assert "name was removed" in shown
    assert "This certificate is genuine" in shown


def test_a_changed_name_leaves_a_trail_without_the_earlier_name(
    imani: Person, client: FlaskClient
) -> None:
    award = earn(imani)
    db.session.get_one(Identity, imani.id).display_name = "Imani Brandt"
    facts.note(imani, "reacted", day=20_009)
    documents.reprint_changed(frozenset({imani.id}))
    db.session.commit()
    run_pending()
    shown = client.get(f"/certificates/verify/{award.code}").text
    assert "Imani Brandt" in shown
    assert "Okafor" not in shown
    assert "Printed again" in shown


def test_revoking_needs_a_reason_is_audited_and_is_shown(
    imani: Person, client: FlaskClient, sign_in: SignIn
) -> None:
    award = earn(imani)
    boss = make_person(is_administrator=True)
    browser = sign_in(boss)
    page = f"/certificates/administration/awards/{award.uid}"
    assert "Say in a sentence" in browser.post(f"{page}/revoke", data={"why": ""}).text
    assert browser.post(f"{page}/revoke", data={"why": "Given by mistake."}).status_code == 302
    assert browser.post(f"{page}/revoke", data={"why": "Once more."}).status_code == 409
    shown = client.get(f"/certificates/verify/{award.code}").text
    assert "This certificate was revoked" in shown
    assert "Given by mistake." in shown
    assert "genuine" not in shown
    assert "Given by mistake." in sign_in(imani).get(f"/certificates/awards/{award.uid}").text
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.act == "certificates.revoked")
    ).one()
    assert (entry.actor_id, entry.subject) == (boss.id, f"award/{award.uid}")


def test_evidence_changed_by_hand_is_found_out(imani: Person, client: FlaskClient) -> None:
    award = earn(imani)
    changed = dict(award.evidence) | {"evaluated_at": "2020-01-01T00:00:00+00:00"}
    db.session.execute(update(Award).values(evidence=changed))
    db.session.commit()
    assert "cannot be confirmed" in client.get(f"/certificates/verify/{award.code}").text
    db.session.execute(update(RuleVersion).values(digest="0" * 64))
    db.session.commit()
    assert client.get(f"/certificates/verify/{award.code}").status_code == 200


def test_the_manager_sees_met_or_not_met_and_never_how_much(house: Flask) -> None:
    holder, half = make_person("Imani Okafor"), make_person("Tomasz Wrona")
    earn(holder)
    facts.complete(half)
    facts.answer(half, 901)
    people = select(Person.id).where(Person.id.in_([holder.id, half.id]))
    found = {}
    for column in columns():
        for row in db.session.execute(column.cells(people)):
            assert row.number is None
            assert row.due_at is None
            found[column.slug.removeprefix("certificates."), row.person_id] = row.state
    assert found["connected-colleague", holder.id] == "met"
    assert found["connected-colleague", half.id] == "not_met"
    assert found["connected-colleague.first-30-days", half.id] == "met"
    assert found["connected-colleague.colleagues", half.id] == "not_met"
    assert found["connected-colleague.colleagues", holder.id] == "met"
    assert ("visible-leader", half.id) not in found
    details = {column.slug for column in columns() if column.detail}
    assert "certificates.connected-colleague" not in details
    assert "certificates.connected-colleague.colleagues" in details


def test_the_managers_page_of_one_person_shows_conditions_and_no_number(
    house: Flask, sign_in: SignIn
) -> None:
    boss = make_person("Jonas Brandt")
    person = make_person("Tomasz Wrona", manager=boss)
    publish(PeopleChanged(frozenset({person.id})))
    facts.complete(person)
    for number in range(2):
        facts.answer(person, 901 + number)
    shown = sign_in(boss).get(f"/team/people/{person.uid}").text
    assert "Answer colleagues" in shown
    assert "2 of 3" not in shown
    assert "One more person." not in shown
    assert "Connected Colleague" in sign_in(boss).get("/team").text


def test_the_notice_leads_to_the_certificate(imani: Person, sign_in: SignIn) -> None:
    award = earn(imani)
    notice = db.session.scalars(select(Notice)).one()
    subject, text, html = mail_parts(notice, kinds()["certificates.earned"])
    assert subject == "You have earned Connected Colleague"
    address = f"http://localhost/certificates/awards/{award.uid}"
    assert address in text
    assert html is not None
    assert f'href="{address}"' in html
    assert f"/certificates/awards/{award.uid}" in sign_in(imani).get("/notices").text


def test_a_column_is_one_query_for_ten_people_and_for_a_hundred(house: Flask) -> None:
    everybody = [make_person().id for _ in range(100)]

    def queries(ids: list[int]) -> int:
        people = select(Person.id).where(Person.id.in_(ids))
        with counted() as seen:
            for column in columns():
                db.session.execute(column.cells(people)).all()
        return len(seen)

    assert queries(everybody[:10]) == queries(everybody)


def test_the_administrator_publishes_a_version_and_is_told_what_is_wrong(
    house: Flask, sign_in: SignIn
) -> None:
    browser = sign_in(make_person(is_administrator=True))
    shown = browser.get("/certificates/administration/rule/connected-colleague").text
    assert "at_least: 3" in shown
    bad = "slug: field-guide\ntitle: Field Guide\nrequires:\n  all:\n    - completed: lessons/x\n"
    answer = browser.post("/certificates/administration/rule", data={"text": bad})
    assert "Line 5" in answer.text
    assert "lessons/x" in answer.text
    good = bad.replace("lessons/x", "course/x\n      title: The course")
    answer = browser.post("/certificates/administration/rule", data={"text": good})
    assert answer.status_code == 302
    assert "Field Guide" in browser.get("/certificates/administration").text
    browser.post("/certificates/administration/rule/field-guide/retire")
    assert "no longer offered" in browser.get("/certificates/administration").text
    for page in ("9" * 30, "9" * 18, "-1", "x"):
        assert browser.get(f"/certificates/administration?page={page}").status_code == 200


def test_administrators_are_told_what_nothing_measures(house: Flask, sign_in: SignIn) -> None:
    for slug in list(house.extensions["lms.evidence"]):
        if slug.startswith("esn."):
            del house.extensions["lms.evidence"][slug]
    shown = sign_in(make_person(is_administrator=True)).get("/certificates/administration").text
    assert "nothing that is on measures Answer colleagues" in shown
    person = make_person()
    shown = sign_in(person).get("/certificates/earn/connected-colleague").text
    assert "cannot be met at the moment" in shown
