"""What the embedded servers have in common: sole ownership, a log file, start with retries, stop."""

from __future__ import annotations

import abc
import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from xinzu.platform.servers.home import CannotStart, prepare_home, server_account, server_root
from xinzu.platform.servers.process import Lock, end, spawn, wait_until

_LOG_BYTES_MAX = 16 * 1024 * 1024


class EmbeddedServer(abc.ABC):
    """One server of one home. ``start``/``stop`` (or ``with``) run it from this process; a supervisor calls ``launch`` instead,
    for every (re)start. Call from the main thread: on Linux the child ends with the thread that started it.
    """

    name: str
    title: str
    stop_signal: signal.Signals

    def __init__(self, home: Path, account_name: str) -> None:
        self.home = prepare_home(home)
        self.account = server_account(account_name)
        self.root = server_root(self.home, self.account)
        self.log_path = self.home / "log" / f"{self.name}.log"
        self._lock = Lock(self.home / f"{self.name}.lock", self.title)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abc.abstractmethod
    def argv(self) -> list[str]:
        """The command line, valid after ``prepare``."""

    @property
    def env(self) -> dict[str, str]:
        """A clean environment: no PG* variables of the caller, no locale the machine may lack."""
        kept = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
        return {**{name: os.environ[name] for name in kept if name in os.environ}, "LC_ALL": "C", "TZ": "UTC"}

    def prepare(self) -> None:
        """Everything before a launch, after taking sole ownership. Raises CannotStart with a sentence for the operator."""
        self._lock.acquire()
        self._prepare()

    @abc.abstractmethod
    def _prepare(self) -> None: ...

    @abc.abstractmethod
    def is_ready(self, pid: int) -> bool:
        """Whether the process with this pid serves."""

    def open_log(self) -> IO[bytes]:
        """The log file, opened to append; an overgrown one is put aside as ``<server>.log.1`` first."""
        with contextlib.suppress(FileNotFoundError):
            if self.log_path.stat().st_size > _LOG_BYTES_MAX:
                self.log_path.replace(self.log_path.with_suffix(".log.1"))
        return self.log_path.open("ab")

    def log_tail(self) -> str:
        """The last lines of the log, for an error message."""
        try:
            return "\n".join(self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])
        except OSError:
            return "(no log)"

    def launch(self) -> subprocess.Popen[bytes]:
        """Prepare and spawn once, without waiting until it serves."""
        self.prepare()
        with self.open_log() as log:
            return spawn(self.argv, env=self.env, account=self.account, cwd=self.root, output=log, death_signal=self.stop_signal)

    def start(self, limit_s: float = 90.0) -> None:
        """Start and wait until it serves. A start that fails (port taken meanwhile, memory of a crash still held) is tried again
        until ``limit_s``; then CannotStart with the log's last lines."""
        if self._process is not None and self._process.poll() is None:
            return
        deadline = time.monotonic() + limit_s
        process: subprocess.Popen[bytes] | None = None
        try:
            while True:
                process = self.launch()
                if self._wait(process, max(deadline - time.monotonic(), 1.0)):
                    self._process = process
                    return
                end(process, self.stop_signal)
                if time.monotonic() > deadline:
                    raise CannotStart(f"{self.title} did not start. The end of {self.log_path}:\n{self.log_tail()}")
                time.sleep(0.3)
        except BaseException:
            if process is not None:
                end(process, self.stop_signal)
            self.release()
            raise

    def _wait(self, process: subprocess.Popen[bytes], limit_s: float) -> bool:
        wait_until(lambda: process.poll() is not None or self.is_ready(process.pid), limit_s)
        return process.poll() is None and self.is_ready(process.pid)

    def stop(self, limit_s: float = 30.0) -> None:
        """Ask it to end cleanly, kill it after ``limit_s``. Harmless when it does not run."""
        if self._process is not None:
            end(self._process, self.stop_signal, limit_s)
            self._process = None
        self.release()

    def release(self) -> None:
        """Give up ownership of the home's server."""
        self._lock.release()

    @property
    def pid(self) -> int:
        """The pid of the server started here; 0 when there is none."""
        return self._process.pid if self._process is not None else 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        self.start()  # on purpose not in a thread: the child would end with it
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
