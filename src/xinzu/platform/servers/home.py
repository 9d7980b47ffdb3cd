"""The state folder: who owns what in it, secrets generated once, and the unprivileged account of the embedded servers.

Layout of a home: ``secrets/`` (0700, one value per file, 0600), ``log/``, ``postgres/``, ``nats/``, ``<server>.port`` and
``state.json``. As root the servers run under another account, which must be able to pass through every folder above its data.
Folders above the home are not ours and are never changed; when they bar the way, server data goes to a folder outside
(``server_root``), which is recorded in ``home/servers.location``.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

FALLBACK_ROOT = Path("/var/lib/xinzu-servers")


class CannotStart(RuntimeError):
    """A server cannot start here, with the reason and the remedy in one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Account:
    """An operating-system account a server runs under."""

    name: str
    uid: int
    gid: int


def server_account(name: str) -> Account | None:
    """The account to change to, None when this process is not root and servers simply run as the caller. Raises CannotStart."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd  # POSIX only

    try:
        entry = pwd.getpwnam(name)
    except KeyError as unknown:
        raise CannotStart(f"There is no account '{name}'. Create it, or name another in XINZU_SERVER_ACCOUNT.") from unknown
    if entry.pw_uid == 0:
        raise CannotStart(f"PostgreSQL refuses to run as root, and '{name}' is root. Name another in XINZU_SERVER_ACCOUNT.")
    return Account(name, entry.pw_uid, entry.pw_gid)


def prepare_home(home: Path) -> Path:
    """Create the state folder when it is missing, and answer its absolute path.

    A folder we made, or one that is empty or already holds our secrets, is ours: for root it gets mode 0711, so that the servers'
    account may pass through (not list). For a normal user it is 0700.
    """
    home = home.expanduser().absolute()
    try:
        home.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as refused:
        raise CannotStart(
            f"The state folder {home} cannot be created ({refused.strerror}). Set XINZU_HOME to another."
        ) from refused
    if not os.access(home, os.W_OK | os.X_OK):
        raise CannotStart(f"The state folder {home} is not writable for this user. Set XINZU_HOME to another.")
    if os.name == "posix" and home.stat().st_uid == os.geteuid() and (_is_empty(home) or (home / "secrets").is_dir()):
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    for folder, mode in (("secrets", 0o700), ("log", 0o700)):
        (home / folder).mkdir(mode=mode, exist_ok=True)
    return home


def _is_empty(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return next(entries, None) is None


def secret(home: Path, name: str) -> str:
    """The secret of that name, generated at first use (192 bits, url-safe), kept 0600 in ``home/secrets``. Safe in a race."""
    path = home / "secrets" / name
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="ascii").strip()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{name}.")  # mkstemp makes it 0600
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(24) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)  # fails when another process was first: then its value counts
    except FileExistsError:
        pass
    except OSError as unsupported:
        if unsupported.errno not in {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP}:
            raise
        Path(temporary).replace(path)  # a file system without hard links
    finally:
        Path(temporary).unlink(missing_ok=True)
    return path.read_text(encoding="ascii").strip()


def can_pass(path: Path, account: Account | None) -> bool:
    """Whether the account may enter this folder and every folder above it."""
    if account is None:
        return True
    resolved = path.resolve()
    return all(_allows(folder, account, 0o1) for folder in (resolved, *resolved.parents))


def _allows(path: Path, account: Account, bit: int) -> bool:
    status = path.stat()
    if status.st_uid == account.uid:
        return bool(stat.S_IMODE(status.st_mode) & (bit << 6))
    if status.st_gid == account.gid:
        return bool(stat.S_IMODE(status.st_mode) & (bit << 3))
    return bool(stat.S_IMODE(status.st_mode) & bit)


def server_root(home: Path, account: Account | None) -> Path:
    """The folder below which servers keep their data: the home itself, or one outside when the account cannot reach the home.

    The choice is recorded in ``home/servers.location`` at first use and kept, so the data stays found when modes change later.
    """
    note = home / "servers.location"
    if note.is_file():
        root = Path(note.read_text(encoding="utf-8").strip())
        if not can_pass(root, account):
            raise CannotStart(f"The servers' account cannot enter {root}, where the data of {home} lives (servers.location).")
        return root
    if can_pass(home, account):
        return home
    digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
    temporary = Path(tempfile.gettempdir()).resolve()
    if temporary in home.resolve().parents:  # a throw-away home: its data is thrown away with the rest
        root = temporary / f"xinzu-servers-{digest}"
    else:
        FALLBACK_ROOT.mkdir(mode=0o711, parents=True, exist_ok=True)
        root = FALLBACK_ROOT / f"{home.name}-{digest}"
    root.mkdir(mode=0o711, exist_ok=True)
    if root.lstat().st_uid != os.geteuid() or root.is_symlink() or not can_pass(root, account):
        raise CannotStart(f"The servers' account can enter neither {home} nor {root}. Set XINZU_HOME to a folder open to it.")
    note.write_text(f"{root}\n", encoding="utf-8")
    return root


def own_folder(path: Path, account: Account | None, mode: int = 0o700) -> Path:
    """Create a folder that belongs to the account (or to the caller) and set its owner and mode."""
    path.mkdir(mode=mode, exist_ok=True)
    if os.name == "posix":
        if path.is_symlink():
            raise CannotStart(f"{path} is a symbolic link; remove it.")
        if account is not None:
            os.chown(path, account.uid, account.gid)
        elif path.stat().st_uid != os.geteuid():
            raise CannotStart(f"{path} belongs to another user; remove it or set XINZU_HOME to another folder.")
        path.chmod(mode)
    return path


def write_owned(path: Path, text: str, account: Account | None) -> None:
    """Write a 0600 file that belongs to the account, replacing an older one in one step."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        if account is not None:
            os.chown(temporary, account.uid, account.gid)
    Path(temporary).replace(path)


def reachable_copy(source: Path, root: Path, account: Account | None, parts: tuple[str, ...]) -> Path:
    """``source`` itself when the account may read it, else a copy of its ``parts`` under ``root/programs`` made once per version.

    Needed when the environment lives in a folder closed to others, such as ``/root/xinzu/.venv``.
    """
    if account is None or can_pass(source, account):
        return source
    present = [part for part in parts if (source / part).exists()]
    fingerprint = hashlib.sha256()
    for part in present:
        status = (source / part).stat()
        fingerprint.update(f"{source}/{part}:{status.st_mtime_ns}:{status.st_size}\n".encode())
    target = root / "programs" / fingerprint.hexdigest()[:12]
    if target.is_dir():
        return target
    target.parent.mkdir(mode=0o755, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=".copy-"))
    for part in present:
        (staging / part).parent.mkdir(parents=True, exist_ok=True)
        if (source / part).is_dir():
            shutil.copytree(source / part, staging / part, symlinks=True)
        else:
            shutil.copy2(source / part, staging / part)
    for folder, folders, files in os.walk(staging):
        Path(folder).chmod(0o755)
        for name in (*folders, *files):
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        staging.rename(target)
    except OSError:
        shutil.rmtree(staging, ignore_errors=True)
        if not target.is_dir():
            raise
    return target
