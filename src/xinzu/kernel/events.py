"""Facts. An event says what happened in business words; its type on the wire is ``xinzu.<module>.<noun>.<past_verb>.v<n>``.

Payloads hold ids and business facts, never personal data beyond a party id. Subclasses are frozen dataclasses whose fields
are JSON values, UUIDs, dates, instants or nested dataclasses; ``platform.events`` writes and reads them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeVar
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of every event. ``subject_id`` names the thing it happened to, so that one order's timeline is one query."""

    type: ClassVar[str]
    subject_id: UUID


E = TypeVar("E", bound=Event)
_REGISTRY: dict[str, type[Event]] = {}


def event(type_name: str) -> Callable[[type[E]], type[E]]:
    """Class decorator: gives an event its wire type and registers it. The name must be unique and versioned."""

    def register(cls: type[E]) -> type[E]:
        parts = type_name.split(".")
        if len(parts) != 5 or parts[0] != "xinzu" or not parts[4].startswith("v"):
            raise ValueError(f"event type must be xinzu.<module>.<noun>.<past_verb>.v<n>, got {type_name}")
        if type_name in _REGISTRY and _REGISTRY[type_name].__qualname__ != cls.__qualname__:
            raise ValueError(f"event type {type_name} is declared twice")
        cls.type = type_name
        _REGISTRY[type_name] = cls
        return cls

    return register


def event_types() -> dict[str, type[Event]]:
    """All declared events by wire type."""
    return dict(_REGISTRY)
