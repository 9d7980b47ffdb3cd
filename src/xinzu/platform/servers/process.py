"""Children: spawning them so that they do not outlive us, ending them in order, one owner per home.

Linux ends a child when its parent *thread* dies (PR_SET_PDEATHSIG), so children are spawned from the main thread only. Elsewhere
the supervisor ends leftovers at its next start, by the pids in ``state.json``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import psutil

from xinzu.platform.servers.home import Account, CannotStart

_LAUNCH = Path(__file__).with_name("launch.py")


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    account: Account | None = None,
    cwd: Path | None = None,
    output: IO[Any] | int | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child in its own process group, under ``account`` when given; on Linux it gets ``death_signal`` when we die.

    Raises CannotStart when the program is missing or the account cannot be taken.
    """
    program = shutil.which(argv[0])
    if program is None:
        raise CannotStart(f"The program {argv[0]} is missing. Run `make setup`.")
    command = [program, *argv[1:]]
    options: dict[str, Any] = {"process_group": 0} if os.name == "posix" else {}
    if sys.platform == "linux" and threading.current_thread() is threading.main_thread():
        uid, gid = (account.uid, account.gid) if account is not None else (-1, -1)
        launch = [
            sys.executable,
            "-I",
            "-S",
            str(_LAUNCH),
            *(str(number) for number in (int(death_signal), os.getpid(), uid, gid)),
        ]
        command = [*launch, *command]
    elif account is not None:
        options |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    try:
        return subprocess.Popen(  # noqa: S603 (our own command lines)
            command,
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            **options,
        )
    except (OSError, subprocess.SubprocessError) as refused:
        under = f" as '{account.name}'" if account else ""
        raise CannotStart(f"{program} could not be started{under}: {refused}") from refused


def end(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM, limit_s: float = 10.0) -> int:
    """Ask a child to end, wait up to ``limit_s``, then kill it with its group. Answers its exit code."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            return process.wait(limit_s)
        except subprocess.TimeoutExpired:
            kill_group(process.pid)
    return process.wait()


def kill_group(pid: int) -> None:
    """SIGKILL to a child's whole process group (the child itself where there are no groups)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            os.kill(pid, signal.SIGTERM)
        else:
            os.killpg(pid, signal.SIGKILL)


def end_leftover(pid: int, started_at: float, how: signal.Signals = signal.SIGTERM, limit_s: float = 10.0) -> bool:
    """End a process of an earlier run, known by pid and start time (see ``start_time``). False when it is not that one."""
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - started_at) > 0.05:
            return False  # the pid has been given to someone else
        process.send_signal(how)
        try:
            process.wait(limit_s)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(5)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return True


def start_time(pid: int) -> float:
    """When a process started, in seconds since the epoch; with the pid it names one process for ever. 0.0 when it is gone."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return 0.0


def wait_until(ready: Callable[[], bool], limit_s: float, step_s: float = 0.02) -> bool:
    """Poll until ``ready`` holds or the limit has passed; answers whether it holds."""
    deadline = time.monotonic() + limit_s
    while not ready():
        if time.monotonic() >= deadline:
            return False
        time.sleep(step_s)
    return True


class Lock:
    """Sole ownership of something in a home, held by an open file: the system lets go of it however the owner dies."""

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        self._what = what
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take it, or raise CannotStart naming the owner."""
        if self._file is not None:
            return
        file = self._path.open("a+", encoding="ascii")
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as busy:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            file.close()
            raise CannotStart(
                f"{self._what} is already running with the home {self._path.parent} (process {owner}). "
                "Stop it first, or set XINZU_HOME to another folder."
            ) from busy
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let go; harmless when it is not held."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()
