"""The list of modules this product is made of, and what each brings: tables, events, handlers, jobs, routes.

A module's rooms are found by their names (see ``docs/architecture.md``); a room that a module does not need does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from litestar.types import ControllerRouterHandler

MODULES = (
    "xinzu.records.parties",
    "xinzu.records.ledger",
    "xinzu.records.evidence",
    "xinzu.back.billing",
    "xinzu.back.payments",
    "xinzu.back.assets",
    "xinzu.back.devices",
    "xinzu.back.collections",
    "xinzu.middle.credit",
    "xinzu.middle.screening",
    "xinzu.middle.decisions",
    "xinzu.middle.agreements",
    "xinzu.front.catalogue",
    "xinzu.front.applications",
)


def _room(module: str, room: str) -> ModuleType | None:
    name = f"{module}.{room}"
    return import_module(name) if find_spec(name) is not None else None


@cache
def load_tables() -> None:
    """Import every table, so that ``platform.db.metadata`` is the whole schema."""
    import_module("xinzu.platform.tables")
    import_module("xinzu.platform.events.tables")
    for module in MODULES:
        _room(module, "tables")


@cache
def load_modules() -> None:
    """Import every table, problem, event, handler and job. Each process does this once, before it opens a transaction."""
    load_tables()
    for module in MODULES:
        for room in ("errors", "events", "handlers", "jobs"):
            _room(module, room)


def routes() -> Sequence[ControllerRouterHandler]:
    """Every module's routes."""
    load_modules()
    found: list[ControllerRouterHandler] = []
    for module in MODULES:
        room = _room(module, "http")
        if room is not None:
            found += room.routes
    return found
