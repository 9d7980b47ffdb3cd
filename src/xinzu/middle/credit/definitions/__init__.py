"""The indicators as data: one definition each, 244 of them as the industry names them and the product's own behind them.

What is not computed here says why (``reason_zh``, ``reason_en``) and has no value, ever: an indicator without a source is not zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files

import msgspec

from xinzu.middle.credit.model import Definition, EntityKind, FactKind


def _shipped() -> bytes:
    return (files(__name__) / "indicators.json").read_bytes()


@cache
def definitions() -> Mapping[str, Definition]:
    """Every declared indicator by its key; raises ValueError for a key that is given twice."""
    found = msgspec.json.decode(_shipped(), type=list[Definition])
    by_key = {definition.key: definition for definition in found}
    if len(by_key) != len(found):
        raise ValueError("an indicator is declared twice")
    return by_key


@cache
def computed() -> Mapping[str, Definition]:
    """The declared indicators that have a source here."""
    return {key: definition for key, definition in definitions().items() if definition.is_computed}


@cache
def catalogue_sha256() -> str:
    """The identity of the shipped set; stands in every snapshot."""
    return sha256(_shipped()).hexdigest()


@cache
def wanted() -> Mapping[FactKind, frozenset[EntityKind]]:
    """Under which entities each kind of fact is asked for: it is written for those and no others."""
    found: dict[FactKind, set[EntityKind]] = {}
    for definition in computed().values():
        for aggregate in definition.aggregates:
            for kind in aggregate.facts:
                found.setdefault(kind, set()).update(aggregate.entities)
    return {kind: frozenset(entities) for kind, entities in found.items()}
