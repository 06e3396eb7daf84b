"""Serving: ports, the address, programs that are kept running, and the whole of `ropes serve`."""

from __future__ import annotations

import contextlib
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


def rest(stop: threading.Event) -> None:
    stop.wait(60)


def fail(_stop: threading.Event) -> None:
    raise SystemExit(3)


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


def test_a_process_that_is_killed_is_started_again_and_its_fellow_left_alone() -> None:
    one, two = Child("one", rest), Child("two", rest)
    with supervised([one, two]) as (_stop, codes):
        wait_for(lambda: one.process and two.process)
        assert one.process is not None
        assert two.process is not None
        first, fellow = one.process.pid, two.process.pid
        one.process.kill()
        wait_for(lambda: one.process and one.process.pid != first)
        assert two.process.pid == fellow
    assert codes == [0]
    assert (one.process.exitcode, two.process.exitcode) == (0, 0)


def test_a_process_that_dies_at_birth_ends_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "YOUNG_DEATHS", 2)
    broken, well = Child("broken", fail), Child("well", rest)
    with supervised([well, broken]) as (_stop, codes):
        wait_for(lambda: codes)
    assert codes == [1]
    assert well.process is not None
    assert well.process.exitcode == 0


def deaf(ready: Path) -> Callable[[threading.Event], None]:
    """What does not stop when it is told to."""

    def run(_stop: threading.Event) -> None:
        ready.touch()
        time.sleep(60)

    return run


def test_a_process_that_will_not_stop_is_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervising, "STOP_SECONDS", 1)
    child = Child("deaf", deaf(tmp_path / "ready"))
    with supervised([child]) as (stop, codes):
        wait_for((tmp_path / "ready").exists)
        stop.set()
        wait_for(lambda: codes)
    assert child.process is not None
    assert child.process.exitcode in (-signal.SIGKILL, -signal.SIGALRM)


def test_a_process_whose_supervisor_is_killed_ends_even_if_it_will_not_stop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervising, "STOP_SECONDS", 1)
    child = Child("deaf", deaf(tmp_path / "ready"))
    supervisor = os.fork()
    if not supervisor:
        with contextlib.suppress(BaseException):
            child.start()
            assert child.process is not None
            (tmp_path / "pid").write_text(str(child.process.pid))
            time.sleep(60)
        os._exit(1)
    wait_for((tmp_path / "ready").exists)
    left = int(wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
    os.kill(supervisor, signal.SIGKILL)
    os.waitpid(supervisor, 0)
    wait_for(lambda: not alive(left))


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


@contextmanager
def serve(folder: Path, database: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`ropes serve` on a database of its own; yields its address and the process."""
    port = free_port()
    env = {
        **{key: value for key, value in os.environ.items() if not key.startswith("LMS_")},
        "LMS_SECRET_KEY": "only-for-tests-" + "x" * 32,
        "LMS_INSTANCE": str(folder),
        "LMS_DATABASE_URL": database,
    }
    with (folder / "log").open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "lms.cli", "serve", "--port", str(port)],
            env=env, cwd=ROOT, stdout=written, stderr=written,
        )  # fmt: skip
        try:
            wait_for(lambda: ask(f"http://{LOOPBACK}:{port}/healthz")[0] == 200)
            yield f"http://{LOOPBACK}:{port}", process
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(60)


@pytest.fixture
def served(
    tmp_path: Path, migrated: Callable[[Path], str]
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`ropes serve`: its address and the process."""
    with serve(tmp_path, migrated(tmp_path)) as running:
        yield running


def page(address: str) -> int:
    with urllib.request.urlopen(f"{address}/sign-in", timeout=5) as answer:
        status: int = answer.status
        assert b"</html>" in answer.read()
    return status


@pytest.mark.network
def test_slow_senders_hold_up_nobody_and_whoever_is_killed_leaves_nothing_undone(
    served: tuple[str, subprocess.Popen[bytes]],
) -> None:
    address, process = served
    port = int(address.rpartition(":")[2])
    begun = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n"
    with contextlib.ExitStack() as lines:
        for number in range(128):
            line = lines.enter_context(socket.create_connection((LOOPBACK, port)))
            line.sendall(begun + b"\r\na" if number % 2 else begun)
        assert [page(address) for _ in range(10)] == [200] * 10
        assert ask(f"{address}/healthz")[0] == 200
    family = set(children_of(process.pid))
    assert len(family) == 1 + min(2, os.cpu_count() or 1)
    for victim in family:
        os.kill(victim, signal.SIGKILL)
        assert page(address) == 200  # the others go on, and the port is held

    def replaced() -> bool:
        now = {pid for pid in children_of(process.pid) if alive(pid)}
        return len(now) == len(family) and not now & family

    wait_for(replaced)
    wait_for(lambda: ask(f"{address}/healthz")[0] == 200)
    assert page(address) == 200
    family = set(children_of(process.pid))
    process.kill()
    wait_for(lambda: not any(alive(pid) for pid in family))
    check_port(LOOPBACK, port)  # nothing is left that keeps it


@pytest.mark.long
def test_health_sees_a_stopped_worker_and_serve_replaces_a_dead_one(
    served: tuple[str, subprocess.Popen[bytes]],
) -> None:
    address, process = served
    name = wait_for(lambda: worker_of(process.pid))
    os.kill(name, signal.SIGSTOP)  # alive, and does nothing
    _status, answer = wait_for(
        lambda: found if (found := ask(f"{address}/healthz"))[0] == 503 else None, seconds=60
    )
    assert "last seen" in answer["checks"]["worker"]
    assert {name for name, said in answer["checks"].items() if said != "ok"} == {"worker"}
    os.kill(name, signal.SIGKILL)
    wait_for(lambda: ask(f"{address}/healthz")[0] == 200)
    assert worker_of(process.pid) != name


@pytest.mark.long
def test_serve_stops_all_in_order_and_frees_the_port(
    served: tuple[str, subprocess.Popen[bytes]],
) -> None:
    address, process = served
    family = children_of(process.pid)
    process.terminate()
    assert process.wait(30) == 0
    assert not any(alive(pid) for pid in family)
    check_port(LOOPBACK, int(address.rpartition(":")[2]))


def worker_of(pid: int) -> int | None:
    """The one of the processes that does not listen."""
    listening = {
        int(path.parent.parent.name)
        for child in children_of(pid)
        for path in Path(f"/proc/{child}/fd").iterdir()
        if path.is_symlink() and os.readlink(path) in sockets_of(pid)
    }
    return next((child for child in children_of(pid) if child not in listening), None)


def sockets_of(pid: int) -> set[str]:
    """The sockets that a process has open."""
    found = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(os.readlink(path))
    return {one for one in found if one.startswith("socket:")}
