"""The usual xAPI libraries against the record store: TinCanJS and @xapi/xapi in Chromium, in a page
of another site as exported content is, and Python's tincan."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
import tincan
from playwright.sync_api import Browser, Page

from lms.db import db
from tests.browser.conftest import Live
from xapi.lrs import credentials

pytestmark = [pytest.mark.long, pytest.mark.browser]

PACKAGES = Path(__file__).parents[2] / "node_modules"
LIBRARIES = {
    "tincan": PACKAGES / "tincanjs" / "build" / "tincan-min.js",
    "xapi": PACKAGES / "@xapi" / "xapi" / "dist" / "XAPI.umd.js",
}
ACTOR = {"objectType": "Agent", "mbox": "mailto:leila.haddad@example.test"}
PASSED = {"id": "http://adlnet.gov/expapi/verbs/passed", "display": {"en": "passed"}}
CRANE = {"objectType": "Activity", "id": "https://example.test/trainings/crane"}
TOLD = {"actor": ACTOR, "verb": PASSED, "object": CRANE}

WITH_TINCANJS = """async ({endpoint, key, secret, told}) => {
  const lrs = new TinCan.LRS({endpoint, username: key, password: secret, allowFail: false});
  const ask = (name, ...args) => new Promise((done) => {
    const options = {...args.pop(), callback: (error, result) => done({error, result})};
    lrs[name](...args, options);
  });
  const about = await ask("about", {});
  const statement = new TinCan.Statement(told);
  const saved = await ask("saveStatement", statement, {});
  const found = await ask("queryStatements", {params: {limit: 5}});
  const agent = statement.actor, activity = statement.target;
  const kept = await ask("saveState", "place", "card 4", {agent, activity});
  const state = await ask("retrieveState", "place", {agent, activity});
  const profile = {contentType: "application/json", method: "PUT"};
  const first = await ask("saveActivityProfile", "p", '{"a": 1}', {...profile, activity});
  const before = (await ask("retrieveActivityProfile", "p", {activity})).result;
  const last = await ask("saveActivityProfile", "p", '{"a": 2}',
                         {...profile, activity, lastSHA1: before && before.etag});
  return {
    status: [about, saved, found, kept, state, first, last].map((one) => one.error),
    versions: about.result.version,
    ids: found.result.statements.map((one) => one.id), id: statement.id,
    state: state.result.contents, etag: before.etag,
  };
}"""

WITH_XAPI = """async ({endpoint, key, secret, told}) => {
  const Client = XAPI.default || XAPI;
  const xapi = new Client({endpoint, auth: Client.toBasicAuth(key, secret), version: "2.0.0"});
  const about = await xapi.getAbout();
  const sent = await xapi.sendStatement({statement: told});
  const [id] = sent.data;
  const got = await xapi.getStatement({statementId: id});
  const file = new TextEncoder().encode("what was built").buffer;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", file));
  const sha2 = [...digest].map((one) => one.toString(16).padStart(2, "0")).join("");
  const attachments = [{usageType: "https://example.test/usage", display: {en: "a file"},
                        contentType: "text/plain", length: file.byteLength, sha2}];
  const attached = await xapi.sendStatement({statement: {...told, attachments},
                                             attachments: [file]});
  const place = {agent: told.actor, activityId: told.object.id, stateId: "place"};
  const kept = await xapi.createState({...place, state: {card: 4}});
  const state = await xapi.getState(place);
  const profile = {activityId: told.object.id, profileId: "q"};
  const first = await xapi.setActivityProfile(
    {...profile, profile: {a: 1}, etag: "*", matchHeader: "If-None-Match"});
  const before = await xapi.getActivityProfile(profile);
  const last = await xapi.setActivityProfile(
    {...profile, profile: {a: 2}, etag: before.headers.etag, matchHeader: "If-Match"});
  return {
    status: [about, sent, got, attached, kept, state, first, last].map((one) => one.status),
    versions: about.data.version, ids: [got.data.id], id, state: state.data.card,
    etag: before.headers.etag,
  };
}"""

WITH_FETCH = """async ({endpoint, key, secret}) => {
  const headers = {Authorization: "Basic " + btoa(`${key}:${secret}`),
                   "X-Experience-API-Version": "1.0.3"};
  try {
    const answer = await fetch(endpoint + "statements", {headers});
    return {status: answer.status, words: (await answer.json()).error || ""};
  } catch (error) {
    return {status: 0, words: String(error)};
  }
}"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and does not tell of it."""

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """The origin of a web server on which content lies, as an authoring tool exported it."""
    folder = tmp_path / "content"
    folder.mkdir()
    scripts = ""
    for name, source in LIBRARIES.items():
        copyfile(source, folder / f"{name}.js")
        scripts += f'<script src="{name}.js"></script>'
    page = f'<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">{scripts}'
    (folder / "index.html").write_text(page)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


@pytest.fixture
def page(chromium: Browser, elsewhere: str) -> Iterator[Page]:
    """A window that shows the content."""
    context = chromium.new_context()
    opened = context.new_page()
    opened.goto(f"{elsewhere}/index.html")
    yield opened
    context.close()


def credential(live: Live, *origins: str) -> dict[str, Any]:
    """Return what a library is told: address, key, secret, and a statement to send."""
    made, secret = credentials.add("Storyline", ("all",), origins=origins)
    key = made.key
    db.session.commit()
    db.session.remove()
    return {"endpoint": live.url("/xapi/"), "key": key, "secret": secret, "told": TOLD}


def test_tincanjs_in_a_page_of_another_site(live: Live, page: Page, elsewhere: str) -> None:
    seen = page.evaluate(WITH_TINCANJS, credential(live, elsewhere))
    assert seen["status"] == [None] * 7
    assert "1.0.3" in seen["versions"]
    assert seen["ids"] == [seen["id"]]
    assert seen["state"] == "card 4"
    assert seen["etag"]


def test_xapi_js_in_a_page_of_another_site(live: Live, page: Page, elsewhere: str) -> None:
    seen = page.evaluate(WITH_XAPI, credential(live, elsewhere))
    assert seen["status"] == [200, 200, 200, 200, 204, 200, 204, 204]
    assert seen["ids"] == [seen["id"]]
    assert seen["state"] == 4
    assert seen["etag"]  # it is exposed, or profiles could not be changed


def test_the_browser_keeps_out_whom_no_credential_names(
    live: Live, page: Page, elsewhere: str
) -> None:
    named, unnamed = credential(live, elsewhere), credential(live)
    assert page.evaluate(WITH_FETCH, named) == {"status": 200, "words": ""}
    refused = page.evaluate(WITH_FETCH, unnamed)
    assert refused["status"] == 403
    assert elsewhere in refused["words"]  # the page's author can read why
    wrong = page.evaluate(WITH_FETCH, {**named, "secret": "wrong"})
    assert wrong["status"] == 401


def test_a_page_of_nobody_is_not_answered(live: Live, page: Page) -> None:
    refused = page.evaluate(WITH_FETCH, credential(live))
    assert refused["status"] == 0  # the preflight was refused: nothing was sent
    assert "Failed to fetch" in refused["words"]


def test_pythons_tincan(live: Live) -> None:
    told = credential(live)
    lrs = tincan.RemoteLRS(
        version="1.0.3", endpoint=told["endpoint"], username=told["key"], password=told["secret"]
    )
    crane = tincan.Activity(id=CRANE["id"])
    leila = tincan.Agent(mbox=ACTOR["mbox"])
    statement = tincan.Statement(actor=leila, verb=tincan.Verb(PASSED), object=crane)
    saved = lrs.save_statement(statement)
    assert saved.success, saved.data
    found = lrs.query_statements({"limit": 5})
    assert [str(one.id) for one in found.content.statements] == [str(saved.content.id)]
    state = tincan.StateDocument(activity=crane, agent=leila, id="place", content="card 4")
    assert lrs.save_state(state).success
    assert lrs.retrieve_state(crane, leila, "place").content.content == bytearray(b"card 4")
    with pytest.raises(ValueError, match=r"2\.0\.0"):
        lrs.about()  # it knows no newer version, and says so of every store that speaks one
    wrong = tincan.RemoteLRS(
        version="1.0.3", endpoint=told["endpoint"], username=told["key"], password="wrong"
    ).save_statement(statement)
    assert not wrong.success
    assert wrong.response.status == 401
