"""Broken TLS: nothing is sent, the page says what is wrong, and all arrives once it is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import certificates
from tests.faults.house import House, ask, house, note

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, migrated: Callable[[Path], str]
) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("tls")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(certificates.write(folder)))  # whom the sender trusts
        with house(folder, migrated, folder, LMS_LRS_TIMEOUT_SECONDS=2.0) as made:
            made.send()
            yield made


@pytest.mark.parametrize(
    ("fault", "name", "words"),
    [
        ("TLS: certificate expired", "expired", "certificate has expired"),
        ("TLS: another's certificate", "wrong_name", "mismatch"),
        pytest.param(
            "TLS: signed by itself",
            "self_signed",
            "self-signed certificate",
            marks=pytest.mark.long,
        ),
        ("TLS: handshake cut", "cut", ""),
    ],
)
def test_fault(
    home: House, fault: str, name: str, words: str, request: pytest.FixtureRequest
) -> None:
    held = "SELECT count(*) FROM xapi_statement"
    before = ask(home.theirs, held)
    home.mode(f"tls {name}")
    recorded = home.record(20)
    home.wait(lambda: home.failures() >= 3)
    tried = home.failures()
    assert words in home.words()
    assert ask(home.theirs, held) == before
    home.mode("tls good")
    home.drained()
    assert home.failures() == 0
    note(request, fault, tried, *home.judge(recorded))
