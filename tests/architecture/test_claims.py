"""What module docstrings and the map say stands, stands; what stands, they say."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from xinzu.app.modules import MODULES, load_modules
from xinzu.kernel.events import event_types
from xinzu.platform.db import metadata
from xinzu.platform.events.subscribers import subscribers_of
from xinzu.platform.jobs import jobs

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "xinzu"
PLACE = re.compile(r"`([\w/]+\.(?:py|json))`(?: `(\w+)`)?")


def _after(doc: str, heading: str) -> set[str]:
    """The event names between a heading and the next one."""
    found = re.search(rf"{heading}:(.*?)(?:Events (?:in|out):|Jobs:|Provider:|\n\n|$)", doc, re.DOTALL)
    names = {event.__name__ for event in event_types().values()}
    return set(re.findall(r"[A-Z][A-Za-z]+", found.group(1))) & names if found else set()


@pytest.mark.parametrize("module", MODULES)
def test_a_module_s_docstring_names_its_tables_events_and_jobs(module: str) -> None:
    load_modules()
    short = module.rpartition(".")[2]
    doc = import_module(module).__doc__ or ""
    tables = {table.name for table in metadata.sorted_tables if table.name.startswith(f"{short}_")}
    assert set(re.findall(rf"\b{short}_\w+", doc)) == tables

    own = {name: event for name, event in event_types().items() if event.__module__.startswith("xinzu.")}
    assert _after(doc, "Events out") == {event.__name__ for event in own.values() if event.__module__ == f"{module}.events"}
    heard = {
        event.__name__
        for name, event in own.items()
        if any(subscriber.handler.__module__ == f"{module}.handlers" for subscriber in subscribers_of(name))
    }
    assert _after(doc, "Events in") == heard
    assert set(re.findall(rf"\b{short}\.\w+", doc)) == {name for name in jobs() if name.startswith(f"{short}.")}


def test_the_map_points_at_what_stands() -> None:
    map_of_rules = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## 6. Where is the rule")[2]
    places = PLACE.findall(map_of_rules)
    assert len(places) > 20
    for path, name in places:
        file = SOURCE / path
        assert file.is_file(), path
        if name:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
            for node in tree.body:
                targets = (
                    node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
                )
                defined |= {target.id for target in targets if isinstance(target, ast.Name)}
            assert name in defined, f"{path}: {name}"


def test_no_file_of_the_product_is_longer_than_five_hundred_lines() -> None:
    files = [path for path in SOURCE.rglob("*.py") if "versions" not in path.parts]
    lengths = {str(path.relative_to(SOURCE)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: length for name, length in lengths.items() if length > 500} == {}
