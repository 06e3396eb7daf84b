"""Guessing is slow for whoever guesses, and shuts nobody out who has been here before."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms import clock
from lms.db import db
from lms.people import familiar, joining, limits, security, tries
from lms.people.codes import open_unsent
from lms.people.limits import CODES, PASSWORDS
from lms.people.models import Familiar, Identity, SignInCode
from tests.factories.people import make_person

pytestmark = pytest.mark.usefixtures("in_mid_stretch", "hashes")
ME, NUMBER, NAME = "imani@example.test", "4711", "imani.okafor"
RIGHT, WRONG = "three harbour gulls", "two harbour gulls"
HOME, OFFICE = "192.0.2.7", "2001:db8:1:1::5"
_others = itertools.count(1)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often a password was hashed; the hash itself costs nothing here."""
    seen: list[str] = []

    def make(password: str) -> str:
        seen.append(password)
        return f"hash of {password}"

    monkeypatch.setattr(security, "hash_password", make)
    monkeypatch.setattr(security, "verify_password", lambda typed, kept: make(typed) == kept)
    return seen


@pytest.fixture
def me(app: Flask) -> Identity:
    """Somebody with a password and three names."""
    identity = make_person("Imani Okafor", email=ME).identity
    assert identity is not None
    identity.employee_number, identity.sign_in_name = NUMBER, NAME
    identity.password = f"hash of {RIGHT}"
    db.session.commit()
    return identity


def fresh_address() -> str:
    number = next(_others)
    return f"198.51.{number // 250}.{number % 250}"


def post(browser: FlaskClient, path: str, where: str, **data: str) -> int:
    answer = browser.post(path, data=data, environ_base={"REMOTE_ADDR": where})
    assert (answer.status_code == 429) == ("Retry-After" in answer.headers)
    return answer.status_code


def guess(app: Flask, where: str, password: str = WRONG, who: str = ME) -> int:
    return post(app.test_client(), "/sign-in/password", where, who=who, password=password)


def ask(app: Flask, where: str, who: str = ME) -> int:
    return post(app.test_client(), "/sign-in", where, who=who)


def waiting() -> dict[str, str]:
    """What the newest mail that waits is going to say."""
    newest = select(SignInCode.unsent).order_by(SignInCode.id.desc()).limit(1)
    return open_unsent(db.session.scalar(newest) or b"") or {}


def known_device(app: Flask, where: str = HOME) -> FlaskClient:
    """A browser in which its person has signed in and out again, at home."""
    browser = app.test_client()
    assert post(browser, "/sign-in/password", where, who=ME, password=RIGHT) == 302
    assert browser.post("/sign-out").status_code == 302
    return browser


def strangers_spend_all(app: Flask, who: str = ME) -> None:
    """Have strangers guess and ask, from many addresses, until they are refused at a new one."""
    places = [fresh_address() for _ in range(4)]
    for place in places:
        for _ in range(PASSWORDS.each):
            guess(app, place, who=who)
        for _ in range(CODES.each):
            ask(app, place, who=who)
    assert guess(app, fresh_address(), who=who) == 429
    assert ask(app, fresh_address(), who=who) == 429


def of_all(app: Flask, device: FlaskClient, act: Callable[[FlaskClient, str], int]) -> list[int]:
    """Let everybody try: known device elsewhere, new device at home, owner elsewhere."""
    return [
        act(device, fresh_address()),
        act(app.test_client(), HOME),
        act(app.test_client(), fresh_address()),
    ]


@pytest.mark.parametrize(
    ("path", "right", "after"),
    [
        ("/sign-in/password", {"who": ME, "password": RIGHT}, [302, 302, 429]),
        ("/sign-in/password", {"who": NUMBER, "password": RIGHT}, [302, 302, 429]),
        ("/sign-in", {"who": NAME}, [302, 302, 429]),
    ],
)
def test_strangers_shut_out_strangers_alone(
    app: Flask, me: Identity, path: str, right: dict[str, str], after: list[int]
) -> None:
    def act(browser: FlaskClient, where: str) -> int:
        status = post(browser, path, where, **right)
        browser.post("/sign-out")
        return status

    device = known_device(app)
    assert of_all(app, device, act) == [302, 302, 302]
    strangers_spend_all(app)
    assert of_all(app, device, act) == after
    with clock.travel(clock.now() + dt.timedelta(seconds=tries.STRETCH_SECONDS)):
        assert of_all(app, device, act) == [302, 302, 302]


@pytest.fixture
def few_wrong(monkeypatch: pytest.MonkeyPatch) -> int:
    """Fewer wrong codes, links and passkeys from one place than there may be in earnest."""
    monkeypatch.setattr(limits, "WRONG_FROM_ONE_PLACE", 8)
    return 8


def test_what_was_mailed_goes_on_working(app: Flask, me: Identity, few_wrong: int) -> None:
    mine = app.test_client()
    assert post(mine, "/sign-in", HOME, who=ME) == 302
    code = waiting()["code"]
    strangers_spend_all(app)
    where = fresh_address()
    assert post(app.test_client(), f"/sign-in/by-link/{waiting()['token']}", where) == 302
    assert post(mine, "/sign-in/code", where, code=code) == 422  # whoever is in needs it no more
    with clock.travel(clock.now() + dt.timedelta(seconds=tries.STRETCH_SECONDS)):
        assert post(mine, "/sign-in", HOME, who=ME) == 302
        code = waiting()["code"]
        strangers_spend_all(app)
        assert post(mine, "/sign-in/code", where, code=code) == 302


@pytest.mark.parametrize(
    ("path", "data"), [("/sign-in/code", {"code": "1"}), ("/sign-in/by-link/guessed", {})]
)
def test_wrong_codes_and_links_from_one_place_are_refused_and_right_ones_are_not(
    app: Flask, me: Identity, few_wrong: int, path: str, data: dict[str, str]
) -> None:
    mine, stranger = app.test_client(), app.test_client()
    post(stranger, "/sign-in", HOME, who="nobody@example.test")
    wrong = 422 if data else 410
    tried = [post(stranger, path, HOME, **data) for _ in range(few_wrong + 2)]
    assert tried == [wrong] * few_wrong + [429] * 2
    assert post(mine, "/sign-in", HOME, who=ME) == 302
    right = waiting()
    good = path.replace("guessed", right["token"])
    assert post(mine, good, HOME, **({"code": right["code"]} if data else {})) == 302


def test_what_a_stranger_types_burns_no_code_of_mine(app: Flask, me: Identity) -> None:
    mine, stranger = app.test_client(), app.test_client()
    assert post(mine, "/sign-in", HOME, who=ME) == 302
    code = waiting()["code"]
    assert post(stranger, "/sign-in", HOME, who=ME) == 302
    assert [post(stranger, "/sign-in/code", HOME, code="1") for _ in range(7)] == [422] * 7
    assert post(mine, "/sign-in/code", HOME, code=code) == 302


def test_a_link_for_one_person_opens_after_strangers_guessed(app: Flask, me: Identity) -> None:
    link = joining.make_link(make_person(), days=1, most_uses=1, person=me.person)
    db.session.commit()
    strangers_spend_all(app)
    path = f"/join/{joining.token_of(link)}"
    assert post(app.test_client(), path, fresh_address(), password="new harbour gulls") == 302


def test_passkeys_are_asked_for_after_strangers_guessed(
    app: Flask, me: Identity, few_wrong: int
) -> None:
    strangers_spend_all(app)
    browser = app.test_client()
    headers = {"Accept": "application/json"}
    assert browser.post("/passkeys/sign-in", json={}, headers=headers).status_code == 200
    tried = [
        browser.post("/passkeys/sign-in/made-up", json={"credential": "{}"}, headers=headers)
        for _ in range(few_wrong + 1)
    ]
    assert [one.status_code for one in tried] == [400] * few_wrong + [429]


@pytest.mark.parametrize("who", [ME, NUMBER, "nobody@example.test"])
def test_guesses_have_their_limits_whether_somebody_is_known_or_not(
    app: Flask, me: Identity, who: str, hashes: list[str]
) -> None:
    places = [fresh_address() for _ in range(4)]
    tried = [[guess(app, place, who=who) for _ in range(11)] for place in places]
    assert tried == [[422] * 10 + [429]] * 3 + [[429] * 11]
    assert len(hashes) == PASSWORDS.strangers  # and nothing was hashed for those who were refused
    asked = [[ask(app, place, who=who) for _ in range(6)] for place in places]
    assert asked == [[302] * 5 + [429]] * 3 + [[429] * 6]


def test_one_person_is_one_allowance_however_named(
    app: Flask, me: Identity, hashes: list[str]
) -> None:
    where = fresh_address()
    names = itertools.cycle([ME, NUMBER, NAME, ME.upper()])
    tried = [guess(app, where, who=next(names)) for _ in range(PASSWORDS.each + 4)]
    assert tried == [422] * PASSWORDS.each + [429] * 4
    assert len(hashes) == PASSWORDS.each


def test_a_known_device_has_an_allowance_of_its_own_and_no_more(
    app: Flask, me: Identity, hashes: list[str]
) -> None:
    device = known_device(app)
    hashes.clear()
    data = {"who": ME, "password": WRONG}
    tried = [post(device, "/sign-in/password", fresh_address(), **data) for _ in range(12)]
    assert tried == [422] * PASSWORDS.each + [429] * 2
    assert post(device, "/sign-in/password", HOME, who=ME, password=RIGHT) == 429
    assert guess(app, HOME, RIGHT) == 302  # the place has another


def test_a_device_that_somebody_else_knows_is_a_strangers(app: Flask, me: Identity) -> None:
    other = make_person("Jonas Brandt", email="jonas@example.test").identity
    assert other is not None
    strangers_spend_all(app, "jonas@example.test")
    device = known_device(app)  # mine
    data = {"who": "jonas@example.test", "password": RIGHT}
    assert post(device, "/sign-in/password", fresh_address(), **data) == 429


def test_an_office_behind_one_address_signs_in_at_nine(app: Flask) -> None:
    for number in range(20):
        identity = make_person(email=f"p{number}@example.test").identity
        assert identity is not None
        identity.password = f"hash of {RIGHT}"
    for _ in range(PASSWORDS.place - 5):  # so many were mistyped there
        tries.count("password from", familiar.place(OFFICE))
    # More than may still be wrong: what is right is given back.
    for number in range(20):
        assert guess(app, OFFICE, RIGHT, who=f"p{number}@example.test") == 302
    spraying = [guess(app, OFFICE, who=f"n{number}@example.test") for number in range(7)]
    assert spraying == [422] * 5 + [429] * 2
    assert guess(app, OFFICE, RIGHT, who="p1@example.test") == 302  # who was here before


def test_getting_it_right_gives_strangers_nothing_back(app: Flask, me: Identity) -> None:
    device = known_device(app)
    for _ in range(2):
        place = fresh_address()
        for _ in range(PASSWORDS.each):
            guess(app, place)
    assert post(device, "/sign-in/password", HOME, who=ME, password=RIGHT) == 302
    assert guess(app, fresh_address(), RIGHT) == 302  # as a stranger, of which one is given back
    tried = [guess(app, fresh_address()) for _ in range(PASSWORDS.each + 1)]
    assert tried == [422] * PASSWORDS.each + [429]


def test_the_link_of_a_join_is_no_way_to_guess(app: Flask, me: Identity, hashes: list[str]) -> None:
    """Who has just come in by a link comes in again by it with their password."""
    link = joining.make_link(make_person(), days=1, most_uses=1, person=me.person)
    db.session.commit()
    path, where = f"/join/{joining.token_of(link)}", fresh_address()
    assert post(app.test_client(), path, where, password=RIGHT) == 302
    hashes.clear()
    tried = [post(app.test_client(), path, fresh_address(), password=WRONG) for _ in range(32)]
    assert tried == [410] * PASSWORDS.strangers + [429] * 2
    assert len(hashes) == PASSWORDS.strangers
    assert post(app.test_client(), path, where, password=RIGHT) == 302  # a double tap


def test_signing_out_everywhere_forgets_devices_and_places(app: Flask, me: Identity) -> None:
    lost = known_device(app)
    here = app.test_client()
    assert post(here, "/sign-in/password", OFFICE, who=ME, password=RIGHT) == 302
    assert post(here, "/me/end-others", OFFICE) == 302
    assert db.session.scalar(select(func.count()).select_from(Familiar)) == 2  # here, this place
    strangers_spend_all(app)
    assert post(lost, "/sign-in/password", HOME, who=ME, password=RIGHT) == 429


def test_what_is_kept_of_devices_and_places_says_neither(app: Flask, me: Identity) -> None:
    browser = known_device(app)
    cookie = browser.get_cookie("ropes-device")
    assert cookie is not None
    assert cookie.http_only
    rows = db.session.scalars(select(Familiar)).all()
    assert len(rows) == 2
    for row in rows:
        assert HOME not in row.key
        assert cookie.value not in row.key
        assert row.until == clock.today() + dt.timedelta(days=familiar.DAYS)
    with clock.travel(clock.now() + dt.timedelta(days=familiar.DAYS + 1)):
        familiar.sweep()
    assert db.session.scalar(select(func.count()).select_from(Familiar)) == 0


def test_the_cookie_of_a_device_is_this_hosts_alone_where_https_is(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(LMS_BASE_URL="https://learn.example.test")
    with app.app_context():
        identity = make_person(email=ME).identity
        assert identity is not None
        identity.password = f"hash of {RIGHT}"
        answer = app.test_client().post(
            "/sign-in/password",
            data={"who": ME, "password": RIGHT},
            base_url="https://learn.example.test",
        )
    marks = [one for one in answer.headers.getlist("Set-Cookie") if "ropes-device" in one]
    assert len(marks) == 1
    assert marks[0].startswith("__Host-ropes-device=")
    for wanted in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
        assert wanted in marks[0]
    assert "Domain" not in marks[0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("", "unix:", True),
    ],
)
def test_a_place_is_an_address_or_the_network_of_a_household(
    one: str, other: str, same: bool
) -> None:
    assert (familiar.place(one) == familiar.place(other)) is same
