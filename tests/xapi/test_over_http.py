"""The record store over a real connection, spoken to by a client that we did not write (tincan)."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import httpx
import pytest
import tincan
from flask import Flask
from werkzeug.serving import make_server

from lms.db import db
from xapi.lrs import credentials
from xapi.lrs.views import SPOKEN

pytestmark = pytest.mark.network

VERBS = ("http://example.test/verbs/did", "http://example.test/verbs/saw")


@pytest.fixture
def endpoint(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/xapi/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def lrs(app: Flask, endpoint: str) -> tincan.RemoteLRS:
    made, secret = credentials.add("stranger", ("all",))
    key = made.key
    db.session.commit()
    db.session.remove()  # what the test holds, the server would wait for
    return tincan.RemoteLRS(version="1.0.3", endpoint=endpoint, username=key, password=secret)


def said(who: str, verb: str = VERBS[0], activity: str = "one") -> tincan.Statement:
    return tincan.Statement(
        actor=tincan.Agent(account={"home_page": "http://example.test", "name": who}),
        verb=tincan.Verb(id=verb),
        object=tincan.Activity(id=f"http://example.test/activities/{activity}"),
    )


def ids(answer: tincan.LRSResponse) -> list[str]:
    assert answer.success, answer.data
    return [str(one.id) for one in answer.content.statements]


def test_about_needs_no_credential_and_names_the_versions(endpoint: str) -> None:
    about = httpx.get(f"{endpoint}about", trust_env=False)  # tincan refuses a list with 2.0.0
    assert about.status_code == 200
    assert about.headers["Content-Type"] == "application/json"
    assert about.json()["version"] == SPOKEN
    assert {"1.0.3", "2.0.0"} <= set(SPOKEN)
    assert list(about.json()["extensions"].values()) == ["Ropes"]
    nobody = tincan.RemoteLRS(version="1.0.3", endpoint=endpoint, username="no", password="one")
    assert nobody.query_statements({}).response.status == 401


def test_put_post_get_filters_and_more(lrs: tincan.RemoteLRS) -> None:
    first = said("imani")
    first.id = uuid.uuid4()  # tincan sends a statement that has an id with PUT, others with POST
    assert lrs.save_statement(first).response.status == 204
    posted = lrs.save_statement(said("leila"))
    assert posted.response.status == 200
    batch = lrs.save_statements(
        [said("imani", VERBS[number % 2], ("one", "two")[number % 2]) for number in range(7)]
    )
    assert batch.success, batch.data
    everything = [str(first.id), str(posted.content.id), *(str(one.id) for one in batch.content)]

    back = lrs.retrieve_statement(str(first.id))
    assert back.success
    assert back.content.actor.account.name == "imani"

    imani = tincan.Agent(account={"home_page": "http://example.test", "name": "imani"})
    two = tincan.Activity(id="http://example.test/activities/two")
    saw = [everything[2 + number] for number in (1, 3, 5)]
    assert ids(lrs.query_statements({"verb": tincan.Verb(id=VERBS[1]), "ascending": "true"})) == saw
    assert ids(lrs.query_statements({"activity": two, "ascending": "true"})) == saw
    mine = [one for one in everything if one != everything[1]]
    assert ids(lrs.query_statements({"agent": imani, "ascending": "true"})) == mine
    assert ids(lrs.query_statements({"agent": imani, "limit": 2})) == mine[:-3:-1]

    answer = lrs.query_statements({"limit": 4, "ascending": "true"})
    pages = [ids(answer)]
    while answer.content.more:
        answer = lrs.more_statements(answer.content)
        pages.append(ids(answer))
    assert [len(page) for page in pages] == [4, 4, 1]
    assert [one for page in pages for one in page] == everything


def test_a_conflict_and_a_wrong_statement_are_said_over_the_line(lrs: tincan.RemoteLRS) -> None:
    first = said("imani")
    first.id = uuid.uuid4()
    assert lrs.save_statement(first).success
    assert lrs.save_statement(first).response.status == 204  # the same again
    other = said("leila")
    other.id = first.id
    assert lrs.save_statement(other).response.status == 409
    wrong = said("imani", "not an address")
    assert lrs.save_statement(wrong).response.status == 400
