"""A whole installation: ``xinzu up --demo`` as a subprocess in a home of its own, on free ports, and how it is hurt and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from xinzu.app.supervisor import read_state, wait_ready
from xinzu.platform.servers.home import server_root
from xinzu.platform.settings import Settings

READY_MAX_S = 90.0
STOP_MAX_S = 45.0
TOLD_LINES = 60
_PORTS = ("postgres", "nats", "mqtt", "nats_monitor", "http", "worker_health", "gateway_health", "jt808", "sandbox")


def environment(home: Path) -> dict[str, str]:
    """Ours without any setting of Xinzu, then this home and ports of the system's choice."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("XINZU_")}
    ports = {f"XINZU_{name.upper()}_PORT": "0" for name in _PORTS}
    return {**clean, **ports, "XINZU_HOME": str(home), "XINZU_POSTGRES_SHARED_BUFFERS_MB": "64"}


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A home the servers' account may enter; deleted with everything in it."""
    home = Path(tempfile.mkdtemp(prefix="xinzu-e2e-"))
    home.chmod(0o755)
    try:
        yield home
    except BaseException:
        _tell_logs(home)
        raise
    finally:
        root = server_root(home, None)
        shutil.rmtree(home, ignore_errors=True)
        if root != home:
            shutil.rmtree(root, ignore_errors=True)


def _tell_logs(home: Path) -> None:
    """What the processes said, without what is only information: shown by pytest when a test fails."""
    for path in sorted([home / "up.log", *(home / "log").glob("*.log")]):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        told = [line[:400] for line in lines if '"level": "info"' not in line]
        sys.stdout.write("\n".join((f"--- {path.name}", *told[-TOLD_LINES:], "")))


def processes_of(home: Path) -> list[str]:
    """The command lines of all processes that belong to a home, whoever their parent is."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = process.cmdline()
            if process.pid != os.getpid() and (
                any(str(home) in word for word in words) or process.environ().get("XINZU_HOME") == str(home)
            ):
                found.append(f"{process.pid} {' '.join(words)}")
    return found


@dataclass(slots=True)
class Installation:
    """A running ``xinzu up --demo``."""

    home: Path
    process: subprocess.Popen[bytes]

    @property
    def output(self) -> str:
        """What it has told its user."""
        return (self.home / "up.log").read_text(encoding="utf-8", errors="replace")

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, database_url=None, nats_url=None, demo=True)

    @property
    def address(self) -> str:
        return str(read_state(self.home)["address"])

    @property
    def sandbox_address(self) -> str:
        return f"http://127.0.0.1:{self.ports['sandbox']}"

    @property
    def ports(self) -> dict[str, int]:
        ports = read_state(self.home)["ports"]
        assert isinstance(ports, dict)
        return ports

    def pid_if_ready(self, name: str) -> int | None:
        """The pid of a child while it serves."""
        children = read_state(self.home).get("children")
        child = children.get(name, {}) if isinstance(children, dict) else {}
        return int(child["pid"]) if child.get("ready") and child.get("pid") else None

    def family(self) -> list[psutil.Process]:
        """Every process below the supervisor now."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it as a user does; returns its exit code."""
        self.process.send_signal(how)
        return self.process.wait(STOP_MAX_S)


@contextmanager
def running(home: Path) -> Iterator[Installation]:
    """``xinzu up --demo``, ready. Whatever is left of it at the end is killed."""
    before = len((home / "up.log").read_text(encoding="utf-8")) if (home / "up.log").exists() else 0
    with (home / "up.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "xinzu.app.cli", "up", "--demo"],
            env=environment(home),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    installation = Installation(home, process)
    try:
        wait_for(
            lambda: process.poll() is not None or "Xinzu is ready" in installation.output[before:],
            READY_MAX_S,
            lambda: f"not ready: {installation.output}",
        )
        assert process.poll() is None, installation.output
        assert wait_ready(f"{installation.address}/readyz", 10)
        yield installation
    finally:
        family = installation.family() if process.poll() is None else []
        if process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                installation.stop()
        for left in family:
            with suppress(psutil.Error):
                left.kill()
        if process.poll() is None:
            process.kill()
            process.wait()


def wait_for(holds: Callable[[], bool], limit_s: float, otherwise: Callable[[], str]) -> None:
    """Poll until something holds; fails with a sentence when it does not in time."""
    deadline = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise())
        time.sleep(0.05)
