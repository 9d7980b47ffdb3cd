"""Events to JSON and back: dataclass fields become JSON members; uuids, dates, instants and Decimals become strings."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from xinzu.kernel.events import Event, event_types


def encode(event: Event) -> bytes:
    """The ``data`` member of an event, as JSON."""
    return msgspec.json.encode(event)


def decode(type_name: str, data: str | bytes) -> Event:
    """The event as its class; raises KeyError for a type nobody declares and msgspec.ValidationError for a wrong payload."""
    return _decoder(type_name).decode(data)


@cache
def _decoder(type_name: str) -> msgspec.json.Decoder[Event]:
    return msgspec.json.Decoder(event_types()[type_name])


def json_schema(cls: type[Event]) -> dict[str, Any]:
    """The JSON Schema of an event's payload, for the generated reference."""
    return msgspec.json.schema(cls)
