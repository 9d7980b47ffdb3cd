"""Create .venv and install the hashed requirements, using nothing but the standard library. Run by the Makefile.

    python3 scripts/bootstrap.py          what running needs
    python3 scripts/bootstrap.py --dev    also what tests and development need

Does nothing when .venv already holds exactly that (a stamp file in .venv tells). uv is used when it is found, installed into
.venv (hashed, like everything else) when it is not, and pip does the work where uv cannot.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PYTHON_MIN = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PROGRAMS = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
PYTHON = PROGRAMS / ("python.exe" if os.name == "nt" else "python")


def main() -> None:
    """Bring .venv to the state the requirement files ask for."""
    use_supported_python()
    is_dev = "--dev" in sys.argv[1:]
    requirements = ROOT / ("requirements-dev.txt" if is_dev else "requirements.txt")
    with only_one_at_a_time():
        if is_current(is_dev):
            return
        create_environment()
        say(f"installing {requirements.name} into .venv")
        install(find_uv(), ["--require-hashes", "-r", str(requirements)])
        install(find_uv(), ["--no-deps", "--editable", str(ROOT)])
        stamp(is_dev).write_text(fingerprint(is_dev), encoding="ascii")


def say(text: str) -> None:
    """One line for the person who waits."""
    sys.stdout.write(f"bootstrap: {text}\n")
    sys.stdout.flush()


def use_supported_python() -> None:
    """Go on under a newer Python when this one is too old and a newer one is installed."""
    if sys.version_info >= PYTHON_MIN:
        return
    for minor in range(20, PYTHON_MIN[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            os.execv(found, [found, *sys.argv])  # noqa: S606
    sys.exit(
        f"Xinzu needs Python {PYTHON_MIN[0]}.{PYTHON_MIN[1]} or newer; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12"
    )


@contextlib.contextmanager
def only_one_at_a_time():  # type: ignore[no-untyped-def]  # noqa: ANN201
    """Two makes started together must not install into one environment at once (POSIX; harmless elsewhere)."""
    with (
        Path(tempfile.gettempdir()) / f"xinzu-bootstrap-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}-{owner()}.lock"
    ).open("w") as file:
        with contextlib.suppress(ImportError):
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def owner() -> str:
    """Who runs this, as part of a file name: another user's lock file could not be opened."""
    return str(os.getuid()) if hasattr(os, "getuid") else "user"


def fingerprint(is_dev: bool) -> str:
    """What the environment depends on: requirement files, package metadata, interpreter, place (environments do not move)."""
    digest = hashlib.sha256()
    for name in ("requirements.txt", *(("requirements-dev.txt",) if is_dev else ()), "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    digest.update(f"{ROOT}\n".encode())
    return digest.hexdigest()


def stamp(is_dev: bool) -> Path:
    """The file that says which requirements .venv holds."""
    return ENVIRONMENT / (".xinzu-dev" if is_dev else ".xinzu-run")


def is_current(is_dev: bool) -> bool:
    """Whether .venv works and already holds what is asked for; a development environment holds the run-time packages too."""
    if not works():
        return False
    held = [(stamp(is_dev), is_dev), *(() if is_dev else ((stamp(True), True),))]
    return any(path.is_file() and path.read_text(encoding="ascii") == fingerprint(dev) for path, dev in held)


def works() -> bool:
    """Whether .venv has a Python that starts and is new enough (its base may have been removed or replaced)."""
    test = f"import sys; sys.exit(sys.version_info < {PYTHON_MIN!r})"
    return PYTHON.exists() and run([str(PYTHON), "-c", test], quiet=True)


def create_environment() -> None:
    """Make .venv, again from nothing when what is there does not work."""
    if works():
        return
    say("creating .venv")
    made = run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)])
    if not made:  # some systems ship Python without ensurepip
        uv = shutil.which("uv")
        if not uv or not run([uv, "venv", "--clear", "--seed", "--python", sys.executable, str(ENVIRONMENT)]):
            sys.exit("Could not create .venv. On Debian and Ubuntu: apt install python3-venv. Or install uv.")


def find_uv() -> str | None:
    """uv from PATH or .venv, else installed into .venv; None when that fails, and pip is used."""
    inside = PROGRAMS / ("uv.exe" if os.name == "nt" else "uv")
    found = shutil.which("uv") or (str(inside) if inside.exists() else None)
    if found:
        return found
    wanted = pinned("uv")
    if not wanted:
        return None
    say("installing uv into .venv")
    only_uv = ENVIRONMENT / "uv-requirement.txt"
    only_uv.write_text(wanted, encoding="utf-8")
    install(None, ["--require-hashes", "-r", str(only_uv)])
    return str(inside) if inside.exists() else None


def pinned(package: str) -> str:
    """The lines of one package in the hashed requirements; empty when it is not there."""
    lines: list[str] = []
    for line in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines():
        if lines or line.startswith(f"{package}=="):
            lines.append(line)
            if not line.endswith("\\"):
                break
    return "\n".join(lines) + "\n" if lines else ""


def install(uv: str | None, what: list[str]) -> None:
    """Install with uv, with pip where there is no uv or it fails (it does not read every pip setting)."""
    if uv and run([uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(PYTHON), *what], extra=index_for_uv()):
        return
    if not run([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what]):
        sys.exit("Installing failed; the message is above. When the network needs a mirror, set PIP_INDEX_URL.")


def index_for_uv() -> dict[str, str]:
    """The package index pip is configured with, for uv, which reads neither pip.conf nor PIP_*; nothing when uv has its own."""
    if any(name in os.environ for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_CONFIG_FILE")):
        return {}
    index = os.environ.get("PIP_INDEX_URL", "")
    if not index:
        for scope in ("global", "install"):
            asked = subprocess.run(  # noqa: S603
                [str(PYTHON), "-m", "pip", "config", "get", f"{scope}.index-url"], capture_output=True, text=True, check=False
            )
            index = index or (asked.stdout.strip() if asked.returncode == 0 else "")
    return {"UV_DEFAULT_INDEX": index} if index else {}


def run(command: list[str], *, quiet: bool = False, extra: dict[str, str] | None = None) -> bool:
    """Run a command; whether it went well."""
    output = subprocess.DEVNULL if quiet else None
    try:
        environment = {**os.environ, **(extra or {})}
        return subprocess.run(command, stdout=output, stderr=output, env=environment, cwd=ROOT, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


if __name__ == "__main__":
    main()
