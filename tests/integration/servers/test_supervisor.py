"""The supervisor, as a real process over real children: restart, report, stop, no orphans."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.integration.servers import supervised

from xinzu.app.supervisor import Supervisor, read_state
from xinzu.platform.servers.home import CannotStart, prepare_home
from xinzu.platform.servers.process import start_time, wait_until

SCRIPT = Path(supervised.__file__)
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = launch(tmp_path)
    assert wait_until(lambda: len(ready_pids(tmp_path)) == 2, 20)
    yield process
    if process.poll() is None:
        process.kill()
        process.communicate()


def launch(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, str(SCRIPT), str(home)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ready_pids(home: Path) -> dict[str, int]:
    children = read_state(home).get("children")
    assert children is None or isinstance(children, dict)
    return {name: child["pid"] for name, child in (children or {}).items() if child["ready"]}


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_killed_child_is_started_again_and_reported(tmp_path: Path, running: subprocess.Popen[str]) -> None:
    before = ready_pids(tmp_path)
    os.kill(before["second"], signal.SIGKILL)
    assert wait_until(lambda: ready_pids(tmp_path).get("second") not in {None, before["second"]}, 20)
    after = ready_pids(tmp_path)
    assert after["first"] == before["first"]
    children = read_state(tmp_path)["children"]
    assert isinstance(children, dict)
    assert (children["second"]["restarts"], children["second"]["last_exit"]) == (1, -signal.SIGKILL)
    running.terminate()
    said = running.communicate(timeout=20)[0]
    assert "second ended with SIGKILL; starting it again" in said
    assert "second is ready" in said


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_ends_every_child(tmp_path: Path, running: subprocess.Popen[str], how: signal.Signals) -> None:
    pids = ready_pids(tmp_path)
    running.send_signal(how)
    running.communicate(timeout=20)
    assert running.returncode == 0
    assert not [pid for pid in pids.values() if is_alive(pid)]


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_children_end_when_the_supervisor_is_killed(tmp_path: Path, running: subprocess.Popen[str]) -> None:
    pids = ready_pids(tmp_path)
    running.kill()
    running.communicate()
    assert wait_until(lambda: not any(is_alive(pid) for pid in pids.values()), 10)


def test_a_second_supervisor_of_the_home_gets_a_sentence(tmp_path: Path, running: subprocess.Popen[str]) -> None:
    second = launch(tmp_path)
    said = second.communicate(timeout=20)[0]
    assert second.returncode == 1
    assert f"already running with the home {tmp_path} (process {running.pid})" in said
    assert len(ready_pids(tmp_path)) == 2


def test_leftovers_of_an_earlier_run_are_ended_but_a_reused_pid_is_not(tmp_path: Path) -> None:
    home = prepare_home(tmp_path)
    leftover, stranger = (subprocess.Popen([sys.executable, "-S", "-c", supervised.SLEEP]) for _ in range(2))
    try:
        ours = {"pid": leftover.pid, "started_at": start_time(leftover.pid)}
        not_ours = {"pid": stranger.pid, "started_at": start_time(stranger.pid) - 5}
        (home / "state.json").write_text(json.dumps({"children": {"a": ours, "b": not_ours}}), encoding="utf-8")
        said: list[str] = []
        with Supervisor(home, said.append):
            pass
        assert not is_alive(leftover.pid)
        assert stranger.poll() is None
        assert said == [f"ended a (process {leftover.pid}), left over from an earlier run"]
    finally:
        for process in (leftover, stranger):
            process.kill()
            process.wait()


def test_a_child_that_ignores_the_signal_is_killed_at_the_second_one(tmp_path: Path) -> None:
    said: list[str] = []
    with Supervisor(prepare_home(tmp_path), said.append, impatience_s=0.0) as supervisor:
        supervisor.start(supervised.sleeper("stubborn", supervised.STUBBORN))
        wait_until(lambda: False, 0.5)  # it has set its signal handler by then
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        supervisor.run()
        pid = ready_pids(tmp_path)["stubborn"]
    assert not is_alive(pid)
    assert "stubborn did not stop in time and was killed" in said


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    from xinzu.app.supervisor import command

    with Supervisor(prepare_home(tmp_path), lambda _: None) as supervisor, pytest.raises(CannotStart, match="no-such-program"):
        supervisor.start(command("ghost", ["no-such-program"], {}, None))
