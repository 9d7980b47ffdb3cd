"""Supervision of child processes on one machine: start in order, restart what dies, report, stop in reverse order.

What runs is a list of ``Child`` (``up`` builds the product's). Everything happens in the main thread, because on Linux a child
ends with the thread that started it. The state is in ``home/state.json`` for people, tests and the next start.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from xinzu.platform.servers.home import CannotStart
from xinzu.platform.servers.process import Lock, end, end_leftover, kill_group, spawn, start_time
from xinzu.platform.servers.server import EmbeddedServer

STATE_FILE = "state.json"
_TICK_S = 0.1
_BACKOFF_FIRST_S = 0.25
_BACKOFF_MAX_S = 15.0
_STEADY_S = 3.0  # a child that served this long is not one that cannot start: it starts again without delay
_READY_MAX_S = 120.0


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running: how it is launched, when it counts as ready, how it is asked to stop."""

    name: str
    launch: Callable[[], subprocess.Popen[bytes]]
    is_ready: Callable[[int], bool]
    stop_signal: signal.Signals = signal.SIGTERM
    stop_max_s: float = 20.0
    log_path: Path | None = None
    after_stop: Callable[[], None] = lambda: None


def command(name: str, argv: Sequence[str], env: Mapping[str, str], ready_url: str | None, log_path: Path | None = None) -> Child:
    """A child from a command line. Its output goes to ``log_path``, else where ours goes; ready at once without ``ready_url``."""

    def launch() -> subprocess.Popen[bytes]:
        if log_path is None:
            return spawn(argv, env=env)
        with log_path.open("ab") as log:
            return spawn(argv, env=env, output=log)

    return Child(name, launch, lambda _: ready_url is None or answers(ready_url), log_path=log_path)


def embedded(server: EmbeddedServer) -> Child:
    """A child from an embedded server, which prepares itself before each launch."""
    return Child(server.name, server.launch, server.is_ready, server.stop_signal, 30.0, server.log_path, server.release)


def answers(url: str, timeout_s: float = 1.0) -> bool:
    """Whether an HTTP address answers 200 now."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=timeout_s)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_ready(url: str, limit_s: float = 60.0) -> bool:
    """Poll an HTTP address until it answers 200; False when the limit has passed."""
    deadline = time.monotonic() + limit_s
    while not answers(url):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_TICK_S)
    return True


@dataclass(slots=True)
class _Kept:
    """A child and what has happened to it."""

    child: Child
    process: subprocess.Popen[bytes] | None = None
    ready_at: float = 0.0  # monotonic
    born_at: float = 0.0  # as psutil reports it
    restarts: int = 0
    failures: int = 0  # in a row
    next_start_at: float = 0.0
    ready: bool = False
    last_exit: int | None = None


class Stopped(Exception):
    """A stop was asked for while something was being started."""


@dataclass(slots=True)
class Supervisor:
    """Keeps children running. ``say`` gets one line per thing an operator should know. As a context it owns the home inside."""

    home: Path
    say: Callable[[str], None]
    impatience_s: float = 1.0  # a second stop signal after this time means: at once
    facts: dict[str, object] = field(default_factory=dict)  # ports, address: written to the state file as they are
    _kept: list[_Kept] = field(default_factory=list)
    _stops: int = 0
    _stopping_since: float = 0.0
    _lock: Lock | None = None
    _previous: dict[signal.Signals, object] = field(default_factory=dict)

    def __enter__(self) -> Supervisor:
        self._lock = Lock(self.home / "supervisor.lock", "Xinzu")
        self._lock.acquire()
        self._end_leftovers()
        for number in _stop_signals():
            self._previous[number] = signal.signal(number, self._on_stop)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self._previous.items():
                signal.signal(number, handler)  # type: ignore[arg-type]
            if self._lock is not None:
                self._lock.release()

    @property
    def is_stopping(self) -> bool:
        return self._stops > 0

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self._stops or now - self._stopping_since >= self.impatience_s:  # make and a terminal may both pass one on
            self._stops += 1
        if self._stops == 1:
            self._stopping_since = now

    def start(self, *children: Child, limit_s: float = _READY_MAX_S) -> None:
        """Launch children together and wait until all are ready, keeping the earlier ones alive meanwhile.

        Raises CannotStart naming the child that is not ready in time, Stopped when a stop is asked for.
        """
        fresh = [_Kept(child) for child in children]
        self._kept += fresh
        deadline = time.monotonic() + limit_s
        while not all(kept.ready for kept in fresh):
            if self.is_stopping:
                raise Stopped
            self.watch()
            late = [kept.child for kept in fresh if not kept.ready]
            if late and time.monotonic() > deadline:
                raise CannotStart(f"{late[0].name} was not ready within {limit_s:.0f} seconds.{_tail(late[0].log_path)}")
            time.sleep(_TICK_S / 4)

    def run_once(self, name: str, argv: Sequence[str], env: Mapping[str, str], log_path: Path | None) -> None:
        """Run a command to its end, keeping the children alive meanwhile. Raises CannotStart when it fails, Stopped on a stop.

        Without a log path its output is shown here.
        """
        if log_path is None:
            process = spawn(argv, env=env, output=None)
        else:
            with log_path.open("ab") as log:
                process = spawn(argv, env=env, output=log)
        try:
            while process.poll() is None:
                if self.is_stopping:
                    raise Stopped
                self.watch()
                time.sleep(_TICK_S / 4)
        finally:
            end(process)
        if process.returncode != 0:
            raise CannotStart(f"{name} failed with exit code {process.returncode}.{_tail(log_path) if log_path else ''}")

    def watch(self) -> None:
        """One look at every child: note deaths, restart after the backoff, note readiness."""
        now = time.monotonic()
        changed = False
        for kept in self._kept:
            if kept.process is not None and kept.process.poll() is not None:
                self._note_death(kept, now)
                changed = True
            if kept.process is None and now >= kept.next_start_at and not self.is_stopping:
                changed |= self._launch(kept, now)
            if kept.process is not None and not kept.ready and kept.child.is_ready(kept.process.pid):
                kept.ready = changed = True
                kept.ready_at = now
                self.say(f"{kept.child.name} is ready (process {kept.process.pid})" + (" again" if kept.restarts else ""))
        if changed:
            self._write_state()

    def run(self) -> None:
        """Keep the children running until SIGTERM, SIGINT or SIGHUP."""
        while not self.is_stopping:
            self.watch()
            time.sleep(_TICK_S)

    def stop(self) -> None:
        """Stop all children in reverse order; each is killed when its time is over, or at a second signal."""
        for kept in reversed(self._kept):
            if kept.process is None:
                continue
            with contextlib.suppress(ProcessLookupError):
                kept.process.send_signal(kept.child.stop_signal)
            deadline = time.monotonic() + kept.child.stop_max_s
            while kept.process.poll() is None and time.monotonic() < deadline and self._stops < 2:
                time.sleep(_TICK_S / 4)
            if kept.process.poll() is None:
                self.say(f"{kept.child.name} did not stop in time and was killed")
            kill_group(kept.process.pid)  # it, or what it left behind
            kept.last_exit = kept.process.wait()
            kept.process, kept.ready = None, False
            kept.child.after_stop()
        if self._kept:
            self._kept.clear()
            self._write_state()

    def _launch(self, kept: _Kept, now: float) -> bool:
        try:
            kept.process = kept.child.launch()
        except CannotStart as refused:
            if kept.restarts == 0 and kept.failures == 0:
                raise  # the first start: the operator is looking
            kept.failures += 1
            kept.next_start_at = now + _backoff_s(kept.failures)
            self.say(f"{kept.child.name} could not be started: {refused}")
            return False
        kept.born_at = start_time(kept.process.pid)
        return True

    def _note_death(self, kept: _Kept, now: float) -> None:
        if kept.process is None:
            return
        kept.last_exit = kept.process.returncode
        kill_group(kept.process.pid)  # workers of a killed parent would keep its port
        steady = kept.ready and now - kept.ready_at > _STEADY_S
        kept.failures = 1 if steady else kept.failures + 1
        kept.restarts += 1
        wait_s = 0.0 if steady else _backoff_s(kept.failures)
        kept.next_start_at = now + wait_s
        kept.process, kept.ready = None, False
        self.say(f"{kept.child.name} ended with {_exit_text(kept.last_exit)}; starting it again in {wait_s:.1f} s")

    def _write_state(self) -> None:
        state = {
            "supervisor": {"pid": os.getpid(), "started_at": start_time(os.getpid())},
            "children": {
                kept.child.name: {
                    "pid": kept.process.pid if kept.process else None,
                    "started_at": kept.born_at,
                    "ready": kept.ready,
                    "restarts": kept.restarts,
                    "last_exit": kept.last_exit,
                }
                for kept in self._kept
            },
            **self.facts,
        }
        path = self.home / STATE_FILE
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(state, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        temporary.replace(path)

    def _end_leftovers(self) -> None:
        """End children of a supervisor that was killed, where the system did not do it for us. The pid alone proves nothing: the
        start time must fit too."""
        for name, child in reversed(list(_recorded_children(self.home))):
            pid, started_at = child.get("pid"), child.get("started_at")
            if isinstance(pid, int) and isinstance(started_at, float) and end_leftover(pid, started_at):
                self.say(f"ended {name} (process {pid}), left over from an earlier run")


def read_state(home: Path) -> dict[str, object]:
    """The last written state; empty when there is none."""
    try:
        state = json.loads((home / STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _recorded_children(home: Path) -> Iterator[tuple[str, dict[str, object]]]:
    children = read_state(home).get("children")
    if isinstance(children, dict):
        yield from ((str(name), child) for name, child in children.items() if isinstance(child, dict))


def _stop_signals() -> tuple[signal.Signals, ...]:
    return (signal.SIGTERM, signal.SIGINT, *((signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()))


def _backoff_s(failures: int) -> float:
    """0.25 s, doubled for each failure in a row, at most 15 s."""
    return float(min(_BACKOFF_FIRST_S * 2 ** min(failures - 1, 10), _BACKOFF_MAX_S))


def _exit_text(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"


def _tail(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
    except OSError:
        return ""
    return f" The end of {path}:\n" + "\n".join(lines)
