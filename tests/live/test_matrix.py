"""A real homeserver: three people join, post, reply in a thread and react; evidence, and no body."""

from __future__ import annotations

import re
import shlex
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from flask import Flask
from sqlalchemy import func, select
from werkzeug.serving import WSGIRequestHandler, make_server

from certificates.catalogue import publish
from certificates.evaluation import evaluate
from certificates.models import Award, Origin
from esn.connectors.matrix.registration import registration, settings_from
from esn.connectors.services import add_connector
from esn.connectors.status import status_of
from esn.ledger.backfill import backfill_connectors
from esn.models import Account, Connector, Group, Usage
from lms.db import db
from lms.evidence import Filter, Window, get_measure
from lms.jobs.queue import run_pending
from tests.databases import free_port
from tests.esn.residue import marks_found
from tests.factories.people import make_person
from tests.live.synapse import SERVER_NAME, Synapse, User, run_synapse

pytestmark = [pytest.mark.long, pytest.mark.network, pytest.mark.timeout(600)]

PAGE = Path(__file__).parents[2] / "docs" / "administrators" / "networks" / "matrix.md"
MARK = "ZEBRA-MARK-7731"
PATIENCE_SECONDS = 30
RULE = """
slug: answers-colleagues
title: Answers colleagues
summary: Answered, reacted and joined.
requires:
  all:
    - id: replies
      title: Answer a colleague
      proved: Answered a colleague
      usage: {verb: replied, at_least: 1, distinct: recipient}
    - id: reacts
      title: React
      proved: Reacted
      usage: {verb: reacted, at_least: 1}
    - id: joins
      title: Join
      proved: Joined a group
      usage: {verb: joined, at_least: 1}
"""


class Quiet(WSGIRequestHandler):
    """No line for each request."""

    def log(self, *_args: Any, **_more: Any) -> None: ...


@pytest.fixture
def ropes(make_app: Callable[..., Flask]) -> Iterator[tuple[Flask, int]]:
    """Our intake, on a real port."""
    port = free_port()
    app = make_app(LMS_BASE_URL=f"http://127.0.0.1:{port}")
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with app.app_context():
            yield app, port
            db.session.rollback()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def until(what: Callable[[], bool]) -> None:
    """Wait for something to become true, with jobs run meanwhile."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < patience:
        run_pending()
        db.session.rollback()
        done = what()
        db.session.rollback()  # what reads must not keep the intake from writing
        if done:
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def acts_of(person_id: int) -> list[str]:
    return list(
        db.session.scalars(
            select(Usage.verb).where(Usage.person_id == person_id).order_by(Usage.occurred_at)
        )
    )


def thread_reply(root: str) -> dict[str, Any]:
    return {
        "m.relates_to": {
            "rel_type": "m.thread",
            "event_id": root,
            "is_falling_back": True,
            "m.in_reply_to": {"event_id": root},
        }
    }


def reaction(target: str) -> dict[str, Any]:
    return {"m.relates_to": {"rel_type": "m.annotation", "event_id": target, "key": "👍"}}


def room_made_by(user: User, name: str, **more: Any) -> str:
    made = user.ask("POST", "/_matrix/client/v3/createRoom", {"name": name, **more})
    return str(made["room_id"])


def test_three_people_on_a_real_homeserver(ropes: tuple[Flask, int], tmp_path: Path) -> None:
    app, _port = ropes
    home = tmp_path / "synapse"
    home.mkdir()
    port = free_port()
    connector, _secret = add_connector(
        "matrix", "Halden Matrix", None, **settings_from(f"http://127.0.0.1:{port}", SERVER_NAME)
    )
    (home / "ropes.yaml").write_text(registration(connector))
    publish(RULE, Origin.ADMINISTRATOR)
    db.session.commit()
    people = {
        name: make_person(full, email=f"{name}@halden.test")
        for name, full in (
            ("imani", "Imani Okafor"),
            ("tomasz", "Tomasz Wrona"),
            ("leila", "Leila Haddad"),
        )
    }
    ids = {name: person.id for name, person in people.items()}
    page = Page.read(home)
    with run_synapse(home, port, page.settings[0]) as server:  # the page's third step
        users = meet(server, connector.id, page)
        before = the_past(users)
        look_around(connector.id)
        assert "We are in no room" in said_of(connector.id)
        assert page.ask(server, "directory/list", users["leila"].token, before["square"]) == 403
    with run_synapse(home, port, page.settings[0] | page.settings[1]) as server:  # the fourth
        users = {name: replace(user, server=server) for name, user in users.items()}
        assert page.ask(server, "directory/list", users["leila"].token, before["square"]) == 200
        look_around(connector.id)
        check_past(connector.id, ids, before)
        the_present(users, before, ids)
    check_evidence(ids)
    nothing_else(app, tmp_path)


@dataclass(frozen=True)
class Page:
    """What the administrators' page tells them to type, read from the page itself.

    settings: what goes into homeserver.yaml, step by step. requests: what curl is to send.
    """

    settings: list[dict[str, Any]]
    requests: list[list[str]]

    @classmethod
    def read(cls, home: Path) -> Page:
        """Read it, with the names of this test's homeserver."""
        text = PAGE.read_text().replace(":example.com", f":{SERVER_NAME}")
        text = text.replace("/etc/matrix-synapse", str(home))
        blocks = [dedent(block) for block in re.findall(r" *```yaml\n(.*?) *```", text, re.S)]
        curls = re.findall(r"^ *(curl .*?)\n *```", text, re.S | re.M)
        return cls(
            [yaml.safe_load(block) for block in blocks],
            [shlex.split(curl.replace("\\\n", " ")) for curl in curls],
        )

    def ask(self, server: Synapse, part: str, token: str, room: str = "") -> int:
        """Send the one request whose address has this part; return the status."""
        [words] = [words for words in self.requests if part in words[-1]]
        _curl, _x, method, _h, header, _d, body, address = words
        path = address.partition("example.com")[2].replace("ROOM_ID", quote(room))
        name, _, value = header.partition(": ")
        value = re.sub(r"[A-Z_]{5,}", token, value)
        answer = server.http.request(method, server.url + path, content=body, headers={name: value})
        return answer.status_code


def look_around(connector_id: int) -> None:
    """What the job does every quarter of an hour."""
    db.session.rollback()
    backfill_connectors()
    run_pending()


def said_of(connector_id: int) -> str:
    """What an administrator reads of the network."""
    db.session.rollback()
    return status_of(db.session.get_one(Connector, connector_id)).sentence


def meet(server: Synapse, connector_id: int, page: Page) -> dict[str, User]:
    """Three accounts with verified addresses, which our own user may read once it is let."""
    chief = server.register("chief", admin=True)
    users = {}
    for name in ("imani", "tomasz", "leila"):
        users[name] = server.register(name)
        server.ask(
            "PUT",
            f"/_synapse/admin/v2/users/@{name}:{SERVER_NAME}",
            {
                "displayname": f"{name} {MARK}",
                "threepids": [{"medium": "email", "address": f"{name}@halden.test"}],
            },
            chief.token,
        )
    look_around(connector_id)
    assert "not matched yet" in said_of(connector_id)
    assert page.ask(server, "/admin", chief.token) == 200
    look_around(connector_id)
    assert "not matched yet" not in said_of(connector_id)
    return users


def the_past(users: dict[str, User]) -> dict[str, str]:
    """Before we are there: an open room with a post, and two that are none of our business."""
    square = room_made_by(users["leila"], "Field notes", preset="public_chat")
    post = users["leila"].say(square, f"{MARK} who knows error E-07?")
    private = room_made_by(users["imani"], f"{MARK} private", preset="private_chat")
    direct = room_made_by(
        users["imani"],
        f"{MARK} direct",
        preset="trusted_private_chat",
        is_direct=True,
        invite=[users["tomasz"].id],
    )
    users["tomasz"].join(direct)
    for room in (private, direct):
        users["imani"].say(room, f"{MARK} only for us")
    return {"square": square, "post": post, "private": private, "direct": direct}


def check_past(connector_id: int, ids: dict[str, int], before: dict[str, str]) -> None:
    connector = db.session.get_one(Connector, connector_id)
    assert connector.trouble == ""
    assert "needs you" not in status_of(connector).health
    assert [group.name for group in db.session.scalars(select(Group))] == ["Field notes"]
    linked = db.session.scalars(select(Account.person_id).where(Account.person_id.is_not(None)))
    assert sorted(linked) == sorted(ids.values())
    assert acts_of(ids["leila"]) == ["joined", "posted"]
    assert acts_of(ids["imani"]) == []  # what was said in closed rooms is nobody's business
    assert connector.cursor["rooms"]


def the_present(users: dict[str, User], before: dict[str, str], ids: dict[str, int]) -> None:
    """What is pushed to us while it happens."""
    square, post = before["square"], before["post"]
    for name in ("imani", "tomasz"):
        users[name].join(square)
    users["imani"].say(square, f"{MARK} restart it", **thread_reply(post))
    users["imani"].send(square, reaction(post), "m.reaction")
    users["imani"].ask(
        "PUT",
        f"/_matrix/client/v3/profile/{users['imani'].id}/displayname",
        {"displayname": f"Imani {MARK}"},
    )
    users["leila"].send(square, reaction(post), "m.reaction")  # her own post: answers nobody
    users["leila"].say(square, f"{MARK} talking to myself", **thread_reply(post))
    slip = users["tomasz"].say(square, f"{MARK} a slip", **thread_reply(post))
    until(lambda: acts_of(ids["tomasz"]) == ["joined", "replied"])
    users["tomasz"].ask(
        "PUT", f"/_matrix/client/v3/rooms/{square}/redact/{slip}/t1", {"reason": MARK}
    )
    users["tomasz"].say(before["direct"], f"{MARK} psst")
    last = users["tomasz"].say(square, f"{MARK} done")
    assert last
    until(lambda: acts_of(ids["tomasz"]) == ["joined", "posted"])
    until(lambda: len(acts_of(ids["leila"])) == 4)


def check_evidence(ids: dict[str, int]) -> None:
    assert acts_of(ids["imani"]) == ["joined", "replied", "reacted"]
    measure = get_measure("esn.recipients")
    found = dict(
        db.session.execute(measure.values(Window(), Filter(verb="replied"))).tuples().all()
    )
    assert found == {ids["imani"]: 1}  # neither whoever answered herself, nor a deleted reply
    evaluate(ids.values())
    db.session.commit()
    assert db.session.scalars(select(Award.person_id)).all() == [ids["imani"]]


def nothing_else(app: Flask, folder: Path) -> None:
    """No body, name of a closed room or display name in anything of ours."""
    run_pending()
    assert db.session.scalar(select(func.count()).select_from(Group)) == 1
    db.session.rollback()
    instance = Path(app.config["LMS_INSTANCE"])
    assert marks_found(MARK, instance, leave_out=folder / "synapse") == []
