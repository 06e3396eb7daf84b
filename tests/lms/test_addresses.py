"""Where connections may be opened: judged as it is typed, and again where the name leads."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient

from esn.connectors.contract import NetworkSilent
from esn.connectors.matrix.client import Homeserver
from esn.connectors.matrix.registration import settings_from
from lms.addresses import (
    NotThere,
    WrongAddress,
    check_address,
    connect,
    parse_networks,
    read_address,
    transport,
)
from lms.db import db
from lms.errors import Invalid
from lms.jobs.queue import run_pending
from lms.people.models import Person
from tests.factories.people import make_person
from tests.xapi.test_delivery import count, record
from tests.xapi.test_remote import BATCH
from xapi.delivery.outcome import Verdict
from xapi.delivery.remote import RemoteTarget
from xapi.delivery.report import check_delivery
from xapi.outbox import stores
from xapi.outbox.models import Pending

OFFICE = parse_networks("10.1.0.0/16, fd12:3456::/32")
LOOPBACK = parse_networks("127.0.0.0/8, ::1/128")
CLOUDS = [
    "http://169.254.169.254/", "http://[fd00:ec2::254]/", "https://[fd20:ce::254]/",
    "https://100.100.100.200/", "https://168.63.129.16/", "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:a9fe:a9fe::]/", "https://[::169.254.169.254]/", "https://[fe80::1%25eth0]/",
    "https://[::ffff:169.254.169.254]/", "https://0.0.0.0/", "https://[::]/", "https://224.0.0.1/",
    "https://[ff02::1]/",
]  # fmt: skip
INSIDE = [
    "https://[::1]/", "https://127.0.0.1/", "https://127.8.8.8/", "https://localhost/",
    "https://a.localhost/", "https://10.9.0.1/", "https://192.168.1.1/", "https://172.16.0.1/",
    "https://100.64.0.1/", "https://[fd00::1]/", "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/",
    "https://[::127.0.0.1]/", "https://192.0.2.1/", "https://240.0.0.1/",
]  # fmt: skip
MALFORMED = [
    "ftp://lrs.example.test/", "https://", "https://lrs.example.test:no/", "javascript:alert(1)",
    "https://lrs.example.test\\@evil.test/", "file:///etc/passwd", "//lrs.example.test/", "",
    "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/",
    "https://0x7f.0.0.1/", "https://127.0.0.1./", "https://017700000001/", "https://1.2.3.4.5/",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *((text, "forbidden") for text in CLOUDS),
        *((text, "private") for text in INSIDE),
        *((text, "address") for text in MALFORMED),
        ("https://ropes:secret@lrs.example.test/", "secrets"),
        ("https://ropes@lrs.example.test/", "secrets"),
        ("https://lrs.example.test/?x=1", "query"),
        ("https://lrs.example.test/#x", "query"),
        ("http://8.8.8.8/", "plain"),
        ("http://lrs.example.test/", "plain"),
    ],
)
def test_addresses_that_are_not_taken(text: str, code: str) -> None:
    with pytest.raises(WrongAddress, match=f"^{code}$"):
        check_address(text, OFFICE)


@pytest.mark.parametrize(
    "text",
    [
        "https://lrs.example.test", "https://lrs.example.test:8443/data/xAPI", "https://8.8.8.8/",
        "http://10.1.2.3:8080/xapi/", "https://[fd12:3456::1]/", "http://[::ffff:10.1.2.3]/",
        "http://lrs.internal/", "http://synapse:8008", "https://[2606:4700::1111]/",
        "https://bücher.example/",
    ],
)  # fmt: skip
def test_addresses_that_are_taken(text: str) -> None:
    assert check_address(f" {text} ", OFFICE) == text


@pytest.mark.parametrize("text", CLOUDS)
def test_no_setting_opens_where_clouds_keep_their_secrets(text: str) -> None:
    with pytest.raises(WrongAddress, match="forbidden"):
        check_address(text, parse_networks("0.0.0.0/0, ::/0"))


def test_a_network_that_cannot_be_read_is_said() -> None:
    assert parse_networks("") == ()
    for text in ("10.1.2.3/16", "office", "10.1.0.0/33"):
        with pytest.raises(ValueError, match=r"like 10\.1\.0\.0/16"):
            parse_networks(text)


def test_the_same_guard_for_record_stores_and_networks(app: Flask) -> None:
    app.config["LMS_PRIVATE_NETWORKS"] = ()
    for text in (*CLOUDS, *INSIDE, *MALFORMED, "https://a:b@example.test"):
        with pytest.raises(Invalid) as store:
            stores.read_endpoint(text)
        with pytest.raises(Invalid) as network:
            settings_from(text, "example.test")
        assert store.value.message == network.value.message
        assert (store.value.field, network.value.field) == ("endpoint", "homeserver")
    with pytest.raises(Invalid, match=r"LMS_PRIVATE_NETWORKS, as 10\.9\.0\.1/32"):
        read_address("https://10.9.0.1/", "endpoint")


@pytest.fixture
def leads(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that has every name lead to these addresses; what is opened is in its list."""
    opened: list[str] = []

    def lead(*places: str) -> list[str]:
        found = [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 1))
            for one in places
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: found)
        return opened

    def refuse(address: tuple[str, int], *_args: Any, **_more: Any) -> Any:
        opened.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    return lead


LEADS = [
    (("127.0.0.1",), "127.0.0.1"),
    (("::1",), "::1"),
    (("169.254.169.254",), "set aside"),
    (("::ffff:169.254.169.254",), "set aside"),
    (("10.9.0.1",), "10.9.0.1/32"),
]


@pytest.mark.parametrize(("places", "words"), LEADS)
def test_nothing_is_opened_where_a_name_leads_inside(
    leads: Any, places: tuple[str, ...], words: str
) -> None:
    opened = leads(*places)
    with pytest.raises(NotThere, match=words):
        connect(("lrs.example.test", 443), networks=OFFICE)
    target = RemoteTarget("https://lrs.example.test/", "k", "s", "1.0.3", 1.0, networks=OFFICE)
    outcome = target.send(BATCH)
    assert outcome.verdict is Verdict.LATER
    assert words in outcome.words
    http = httpx.Client(transport=transport(OFFICE))
    with pytest.raises(NotThere, match=words):
        http.get("https://matrix.example.test/")
    assert opened == []


def test_over_http_a_name_has_to_lead_into_a_network_that_was_named(leads: Any) -> None:
    opened = leads("8.8.8.8")
    target = RemoteTarget("http://lrs.internal/", "k", "s", "1.0.3", 1.0, networks=OFFICE)
    assert "Write https" in target.send(BATCH).words
    with pytest.raises(NotThere, match="Write https"):
        httpx.Client(transport=transport(OFFICE, plain=True)).get("http://lrs.internal/")
    assert opened == []
    leads("10.1.2.3")
    assert "ConnectionRefusedError" in target.send(BATCH).words
    assert opened == ["10.1.2.3"]


def test_of_several_addresses_those_that_may_be_opened_are(leads: Any) -> None:
    opened = leads("10.9.0.1", "8.8.8.8", "::1")
    with pytest.raises(ConnectionRefusedError):
        connect(("lrs.example.test", 443), networks=())
    assert opened == ["8.8.8.8"]


def test_what_is_connected_to_is_what_was_judged(
    leads: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that says 8.8.8.8 when it is judged, and 127.0.0.1 when asked again (rebinding)."""
    opened = leads("8.8.8.8")
    first = socket.getaddrinfo
    asked: list[Any] = []

    def once(host: Any, *args: Any, **more: Any) -> Any:
        asked.append(host)
        return first(host, *args, **more) if len(asked) == 1 else 1 / 0

    monkeypatch.setattr(socket, "getaddrinfo", once)
    with pytest.raises(ConnectionRefusedError):
        connect(("lrs.example.test", 443), networks=())
    assert (asked, opened) == (["lrs.example.test"], ["8.8.8.8"])


def test_a_homeservers_trouble_says_what_to_set(app: Flask, leads: Any) -> None:
    app.config["LMS_PRIVATE_NETWORKS"] = ()
    leads("10.9.0.1")
    server = Homeserver("https://matrix.example.test", "token")
    with pytest.raises(NetworkSilent, match=r"10\.9\.0\.1.*LMS_PRIVATE_NETWORKS") as raised:
        server.joined_rooms()
    assert len(raised.value.message) < 300  # what is kept of it
    server.close()


class Recorder(http.server.BaseHTTPRequestHandler):
    """Answers, and notes whom it was taken for."""

    hosts: list[str] = []

    def do_GET(self) -> None:
        """Answer; `/away` leads to the same server by another name."""
        self.hosts.append(self.headers["Host"])
        away = self.path == "/away"
        self.send_response(302 if away else 200)
        if away:
            self.send_header("Location", f"http://[::1]:{self.server.server_address[1]}/")  # type: ignore[index]
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[int]:
    """The port of a server on loopback."""
    Recorder.hosts.clear()
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made.server_address[1]
    made.shutdown()
    made.server_close()
    thread.join(timeout=10)


@pytest.mark.network
def test_a_server_is_asked_by_its_name_and_redirects_are_judged_too(server: int) -> None:
    with httpx.Client(transport=transport(LOOPBACK[:1], plain=True)) as client:
        assert client.get(f"http://localhost:{server}/").status_code == 200
        assert Recorder.hosts == [f"localhost:{server}"]
        assert client.get(f"http://localhost:{server}/away").status_code == 302  # not followed
        with pytest.raises(NotThere, match="::1"):
            client.get(f"http://localhost:{server}/away", follow_redirects=True)
    with (
        httpx.Client(transport=transport(OFFICE, plain=True)) as client,
        pytest.raises(NotThere, match=r"127\.0\.0\.1"),
    ):
        client.get(f"http://localhost:{server}/")


@pytest.mark.network
def test_a_store_that_was_inside_before_says_what_to_set(
    app: Flask, sign_in: Callable[[Person], FlaskClient]
) -> None:
    """It was added by a Ropes that asked nothing: on its page, in *Test it*, and for the doctor."""
    stores.add("Archive", "http://127.0.0.1:9/xapi/", "ropes", "secret", "1.0.3")
    db.session.commit()
    app.config["LMS_PRIVATE_NETWORKS"] = ()
    record(1)
    run_pending()
    browser = sign_in(make_person("Jonas Brandt", is_administrator=True))
    tried = browser.post("/xapi/delivery/archive/test", follow_redirects=True).text
    for words in (browser.get("/xapi/delivery/archive").text, tried, check_delivery() or ""):
        assert "127.0.0.1/32" in words
        assert "LMS_PRIVATE_NETWORKS" in words
    assert count(Pending, Pending.target == "archive") == 1  # nothing is lost meanwhile
