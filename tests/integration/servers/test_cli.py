"""The command line as a person meets it: sentences instead of traces."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from xinzu import __version__


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home the servers' account can reach, so that nothing is put outside of it."""
    folder = Path(tempfile.mkdtemp(prefix="xinzu-"))
    yield folder
    shutil.rmtree(folder)


def xinzu(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "xinzu.app.cli", *arguments],
        env={**os.environ, "XINZU_HOME": str(home), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_version(home: Path) -> None:
    assert xinzu(home, "version").stdout.startswith(f"xinzu {__version__} ")


def test_a_wrong_variable_is_named(home: Path) -> None:
    answer = xinzu(home, "check", XINZU_HTTP_PORT="many")
    assert answer.returncode == 2
    assert answer.stderr.startswith("XINZU_HTTP_PORT: ")
    assert "many" not in answer.stderr


def test_check_says_what_is_well_and_what_is_not(home: Path) -> None:
    well = xinzu(home, "check", XINZU_DATABASE_URL="", XINZU_NATS_URL="")
    assert well.returncode == 0, well.stdout + well.stderr
    bad = xinzu(home, "check", XINZU_DATABASE_URL="postgresql://nobody:secret@127.0.0.1:1/postgres")
    assert bad.returncode == 1
    assert "BAD postgres" in bad.stdout
    assert "secret" not in bad.stdout + bad.stderr


def test_migrating_before_the_first_start_is_one_sentence(home: Path) -> None:
    answer = xinzu(home, "migrate", XINZU_DATABASE_URL="")
    assert answer.returncode == 1
    assert "has never been started" in answer.stderr
    assert "Traceback" not in answer.stderr
