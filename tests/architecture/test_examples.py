"""What the docstrings show is so, and every problem on the list can be met."""

from __future__ import annotations

import ast
import doctest
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import xinzu
from xinzu.app.modules import load_modules
from xinzu.kernel.errors import Problem, all_problems

SOURCE = Path(xinzu.__file__).parent


def _with_examples() -> list[str]:
    """Modules whose text holds an example."""
    return [
        module.name
        for module in walk_packages(xinzu.__path__, "xinzu.")
        if "migrations" not in module.name and ">>> " in _file_of(module.name).read_text(encoding="utf-8")
    ]


def _file_of(module: str) -> Path:
    path = SOURCE.parent / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@pytest.mark.parametrize("name", _with_examples())
def test_the_examples_of_docstrings_hold(name: str) -> None:
    tried = doctest.testmod(import_module(name))
    assert tried.attempted > 0
    assert tried.failed == 0


def test_every_problem_is_raised_somewhere() -> None:
    load_modules()
    used: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kinds = {id(base) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and id(node) not in kinds:
                used.add(node.id)
            elif isinstance(node, ast.Attribute):
                used.add(node.attr)
    problems = [problem for problem in all_problems() if problem.__module__.startswith("xinzu.") and not _is_kind(problem)]
    assert problems
    assert [f"{problem.__module__}.{problem.__name__}" for problem in problems if problem.__name__ not in used] == []


def _is_kind(problem: type[Problem]) -> bool:
    return problem.__module__ == "xinzu.kernel.errors"
