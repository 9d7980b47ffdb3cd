"""What is shipped as data: strategies in the JDM format (edit them in any JDM editor) and the catalogue of reason codes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from xinzu.middle.decisions.model import Catalogue, Reason
from xinzu.middle.decisions.rules.reasons import catalogue_of

PHONE_RENTAL = "phone_rental"


@cache
def shipped_graph(key: str) -> dict[str, Any]:
    """The graph shipped under a strategy's key; raises FileNotFoundError when none is."""
    return msgspec.json.decode((files(__name__) / f"{key}.json").read_bytes())  # type: ignore[no-any-return]


@cache
def reason_catalogue() -> Catalogue:
    """Every reason code this release knows."""
    return catalogue_of(msgspec.json.decode((files(__name__) / "reason_codes.json").read_bytes(), type=list[Reason]))
