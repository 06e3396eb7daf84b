"""Serving: ports, the address, programs that are kept running, and the whole of `ropes serve`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lms.errors import Misconfigured
from lms.serving import supervise as supervising
from lms.serving.announce import announce, qr_text
from lms.serving.ports import LOOPBACK, check_port, find_lan_address, free_port
from lms.serving.supervise import Child, supervise

ROOT = Path(__file__).parent.parent.parent


def wait_for(what: Callable[[], Any], seconds: float = 30) -> Any:
    """Return the first true answer of `what`, or fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := what():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not after {seconds} s")


def test_a_port_in_use_is_said_with_one_that_is_free() -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Misconfigured, match=rf"Port {port} is in use.*PORT=\d+"):
            check_port(LOOPBACK, port)
    check_port(LOOPBACK, port)


def test_an_address_that_is_not_ours_is_said() -> None:
    with pytest.raises(Misconfigured, match=r"192\.0\.2\.7"):
        check_port("192.0.2.7", free_port())


def test_the_address_in_the_local_network_is_never_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()  # nothing is sent: a datagram socket is only told where it would send to
    assert not (find_lan_address() or "").startswith("127.")


def test_the_address_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    announce("Open this:", "http://127.0.0.1:8000", qr=True)
    said = capsys.readouterr().out
    assert "http://127.0.0.1:8000" in said
    assert qr_text("http://127.0.0.1:8000") in said
    assert len(qr_text("http://127.0.0.1:8000").splitlines()) > 10


def program(text: str) -> list[str]:
    return [sys.executable, "-c", text]


@contextmanager
def supervised(children: list[Child]) -> Iterator[tuple[threading.Event, list[int]]]:
    """Supervise in a thread; the event stops it, the list gets the exit code."""
    stop, codes = threading.Event(), []
    thread = threading.Thread(target=lambda: codes.append(supervise(children, stop)))
    thread.start()
    try:
        yield stop, codes
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def test_a_program_that_is_killed_is_started_again_and_its_fellow_left_alone() -> None:
    one = Child("one", program("import time; time.sleep(60)"))
    two = Child("two", program("import time; time.sleep(60)"))
    with supervised([one, two]) as (_stop, codes):
        wait_for(lambda: one.process and two.process)
        assert one.process is not None
        assert two.process is not None
        first, fellow = one.process.pid, two.process.pid
        one.process.kill()
        wait_for(lambda: one.process and one.process.pid != first)
        assert two.process.pid == fellow
    assert codes == [0]
    assert one.process.poll() is not None
    assert two.process.poll() is not None


def test_a_program_that_dies_at_birth_ends_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "YOUNG_DEATHS", 2)
    broken = Child("broken", program("raise SystemExit(3)"))
    well = Child("well", program("import time; time.sleep(60)"))
    with supervised([well, broken]) as (_stop, codes):
        wait_for(lambda: codes)
    assert codes == [1]
    assert well.process is not None
    assert well.process.poll() is not None


def test_a_program_that_will_not_stop_is_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervising, "STOP_SECONDS", 0.3)
    ready = tmp_path / "ready"
    text = (
        "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
    )
    deaf = Child("deaf", program(text))
    with supervised([deaf]) as (stop, codes):
        wait_for(ready.exists)
        stop.set()
        wait_for(lambda: codes)
    assert deaf.process is not None
    assert deaf.process.returncode == -signal.SIGKILL


def ask(address: str) -> tuple[int, dict[str, Any]]:
    """GET a JSON answer; (0, {}) where nobody answers."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError:
        return 0, {}


def children_of(pid: int) -> dict[int, str]:
    """Return the processes that `pid` has started, by id, with their command lines."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                command = (stat.parent / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(stat.parent.name)] = command.decode()
        except OSError:  # it has just ended
            continue
    return found


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`ropes serve` on a new database; yields its address and the process."""
    port = free_port()
    env = {
        **{key: value for key, value in os.environ.items() if not key.startswith("LMS_")},
        "LMS_SECRET_KEY": "only-for-tests-" + "x" * 32,
        "LMS_INSTANCE": str(tmp_path / "instance"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "lms.cli", "serve", "--port", str(port)],
        env=env, cwd=ROOT, text=True, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        wait_for(lambda: ask(f"http://{LOOPBACK}:{port}/healthz")[0] == 200)
        # One web process answers, its fellow may still be starting: told to stop at that very
        # moment, granian waits for it until its kill timeout.
        time.sleep(2)
        yield f"http://{LOOPBACK}:{port}", process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


@pytest.mark.long
def test_health_sees_a_stopped_worker_and_serve_replaces_a_dead_one(
    served: tuple[str, subprocess.Popen[str]],
) -> None:
    address, process = served
    workers = [pid for pid, line in children_of(process.pid).items() if " work" in line]
    assert len(workers) == 1
    os.kill(workers[0], signal.SIGSTOP)  # alive, and does nothing
    _status, answer = wait_for(
        lambda: found if (found := ask(f"{address}/healthz"))[0] == 503 else None, seconds=60
    )
    assert "last seen" in answer["checks"]["worker"]
    assert {name for name, said in answer["checks"].items() if said != "ok"} == {"worker"}
    os.kill(workers[0], signal.SIGKILL)
    wait_for(lambda: ask(f"{address}/healthz")[0] == 200)
    again = [pid for pid, line in children_of(process.pid).items() if " work" in line]
    assert len(again) == 1
    assert again != workers


@pytest.mark.long
def test_serve_stops_both_in_order_and_frees_the_port(
    served: tuple[str, subprocess.Popen[str]],
) -> None:
    address, process = served
    family = children_of(process.pid)
    assert len(family) == 2
    process.terminate()
    assert process.wait(30) == 0
    wait_for(lambda: not any(alive(pid) for pid in family))
    check_port(LOOPBACK, int(address.rpartition(":")[2]))


@pytest.mark.long
def test_nothing_is_left_running_when_serve_itself_is_killed(
    served: tuple[str, subprocess.Popen[str]],
) -> None:
    address, process = served
    family = children_of(process.pid)
    grandchildren = [pid for child in family for pid in children_of(child)]
    process.kill()
    wait_for(lambda: not any(alive(pid) for pid in [*family, *grandchildren]))
    check_port(LOOPBACK, int(address.rpartition(":")[2]))
