"""Events to JSON and back: dataclass fields become JSON members; uuids, dates, instants and Decimals become strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from xinzu.kernel.events import Event, event_types


def encode(event: Event) -> dict[str, Any]:
    """The ``data`` member of an event."""
    return msgspec.to_builtins(event)  # type: ignore[no-any-return]


def decode(type_name: str, data: Mapping[str, Any]) -> Event:
    """The event as its class; raises KeyError for a type nobody declares and msgspec.ValidationError for a wrong payload."""
    return msgspec.convert(data, event_types()[type_name])


def json_schema(cls: type[Event]) -> dict[str, Any]:
    """The JSON Schema of an event's payload, for the generated reference."""
    return msgspec.json.schema(cls)
