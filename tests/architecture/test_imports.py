"""Imports point down, modules are entered by their front door, rules do no I/O: the contracts hold, and each of them bites.

Each plant below is one forbidden import in a skeleton of the package (every file there, all of them empty). The contract that is
named must refuse it, wherever in the file it stands.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "xinzu"
MODULE_ROOMS = [path for office in ("front", "middle", "back", "records") for path in sorted((SOURCE / office).iterdir())]

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"

AT_THE_TOP = "{statement}\n"
IN_A_FUNCTION = "def late() -> None:\n    {statement}\n"
FOR_TYPES_ONLY = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    {statement}\n"

OFFICES = "Imports point down"
MIDDLE = "Middle office peers"
FRONT = "Front office peers"
RECORDS = "Records do not know each other"
BACK = "Back office peers"
ROOMS = "Inside every module"
PURE = "Rules, model, events and errors do no I/O"
DOORS = "Other modules enter by api or events only"

PLANTS = [
    (OFFICES, "kernel/money.py", "import xinzu.platform.db", IN_A_FUNCTION),
    (OFFICES, "platform/uow.py", "from xinzu.records.evidence import api", IN_A_FUNCTION),
    (OFFICES, "records/parties/commands/people.py", "from xinzu.front.applications import api", FOR_TYPES_ONLY),
    (OFFICES, "back/billing/commands/close_day.py", "from xinzu.app import business_day", AT_THE_TOP),
    (MIDDLE, "middle/decisions/commands/decide.py", "from xinzu.middle.agreements import api", IN_A_FUNCTION),
    (FRONT, "front/catalogue/commands/quotes.py", "from xinzu.front.applications import api", AT_THE_TOP),
    (RECORDS, "records/parties/store/people.py", "from xinzu.records.ledger import api", IN_A_FUNCTION),
    (BACK, "back/billing/commands/close_day.py", "from xinzu.back.payments import api", IN_A_FUNCTION),
    (BACK, "back/devices/commands/orders.py", "from xinzu.back.collections import events", AT_THE_TOP),
    (ROOMS, "back/billing/store/items.py", "from xinzu.back.billing.commands import close_day", IN_A_FUNCTION),
    (ROOMS, "middle/agreements/jobs.py", "from xinzu.middle.agreements import http", AT_THE_TOP),
    (ROOMS, "front/catalogue/model.py", "from xinzu.front.catalogue import tables", FOR_TYPES_ONLY),
    (PURE, "back/billing/rules/late_fee.py", "from xinzu.platform.uow import UnitOfWork", FOR_TYPES_ONLY),
    (PURE, "back/devices/rules/guards.py", "import sqlalchemy", IN_A_FUNCTION),
    (PURE, "front/applications/events.py", "import httpx", AT_THE_TOP),
    (DOORS, "back/billing/jobs.py", "from xinzu.records.parties.store import people", AT_THE_TOP),
    (DOORS, "front/applications/commands/submit.py", "from xinzu.middle.decisions import events", IN_A_FUNCTION),
]
ALLOWED = [
    ("back/billing/handlers.py", "from xinzu.middle.agreements import events"),
    ("back/devices/handlers.py", "from xinzu.back.collections import events"),
    ("front/applications/commands/submit.py", "from xinzu.records.parties import api"),
    ("app/cli.py", "from xinzu.back.billing import commands"),
]


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts over the package that stands in ``folder``."""
    return subprocess.run(
        [sys.executable, "-c", LINT, "--config", str(ROOT / ".importlinter"), "--no-cache", "--no-logo"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _verdicts(output: str) -> dict[str, str]:
    """KEPT or BROKEN by contract."""
    lines = [line for line in output.splitlines() if " KEPT" in line or " BROKEN" in line]
    return {line.rpartition(" KEPT")[0] or line.rpartition(" BROKEN")[0]: line.split()[-1] for line in lines}


def _dotted(path: str) -> str:
    return "xinzu." + path.removesuffix(".py").replace("/", ".")


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package's files, all of them empty."""
    folder = tmp_path_factory.mktemp("skeleton")
    shutil.copytree(
        SOURCE,
        folder / "xinzu",
        ignore=shutil.ignore_patterns("__pycache__", "versions"),
        copy_function=lambda _, target: Path(target).touch(),
    )
    return folder


@pytest.fixture
def plant(skeleton: Path) -> Iterator[Path]:
    """The skeleton, empty again afterwards."""
    yield skeleton
    for path in skeleton.rglob("*.py"):
        if path.stat().st_size:
            path.write_text("")


def test_the_contracts_hold() -> None:
    linted = _lint(ROOT / "src")
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "Contracts: 8 kept, 0 broken." in linted.stdout


@pytest.mark.parametrize(
    ("contract", "path", "statement", "where"),
    PLANTS,
    ids=[f"{_dotted(path)}: {statement}" for _, path, statement, _ in PLANTS],
)
def test_a_forbidden_import_is_found(plant: Path, contract: str, path: str, statement: str, where: str) -> None:
    target = plant / "xinzu" / path
    assert target.exists(), "the file has moved: plant the import elsewhere"
    target.write_text(where.format(statement=statement))
    linted = _lint(plant)
    assert linted.returncode == 1, linted.stdout + linted.stderr
    broken = [name for name, verdict in _verdicts(linted.stdout).items() if verdict == "BROKEN"]
    assert any(name.startswith(contract) for name in broken), broken
    assert f"{_dotted(path)} -> " in linted.stdout, "the report names the file"


def test_calls_down_and_facts_up_are_allowed(plant: Path) -> None:
    for path, statement in ALLOWED:
        target = plant / "xinzu" / path
        assert target.exists(), f"{path} has moved: plant the import elsewhere"
        target.write_text(statement + "\n")
    linted = _lint(plant)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def _imported(path: Path) -> set[str]:
    """The names of the modules a file imports, wherever the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.add(node.module or "")
    return found


def _beyond(path: Path, *packages: str) -> list[str]:
    """What a file imports beyond the standard library and the packages named."""
    return sorted(
        name
        for name in _imported(path)
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not any(name == package or name.startswith(f"{package}.") for package in packages)
    )


def test_the_kernel_needs_nothing_but_the_standard_library() -> None:
    beyond = {path.name: _beyond(path, "xinzu.kernel") for path in (SOURCE / "kernel").rglob("*.py")}
    assert {name: found for name, found in beyond.items() if found} == {}


def test_events_import_only_the_kernel() -> None:
    files = [path for module in MODULE_ROOMS for path in module.glob("events.py")]
    assert files
    beyond = {str(path.relative_to(SOURCE)): _beyond(path, "xinzu.kernel") for path in files}
    assert {name: found for name, found in beyond.items() if found} == {}
