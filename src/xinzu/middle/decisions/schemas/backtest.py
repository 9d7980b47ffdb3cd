"""Asking for a replay on history over HTTP. What it found goes out as ``rules.backtest`` made it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec

from xinzu.middle.decisions.model import MATURITY_DAYS
from xinzu.platform.http.fields import ONE_LINE


class BacktestBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """From which business date to which, both included; without ``until_on`` to today. ``limit``: at most the newest so many decisions.

    ``segments``: channel, product, price_band, age_band, score_band, periods. An order is mature ``maturity_days`` after its decision.
    """

    since_on: date
    until_on: date | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 10_000_000
    segments: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=ONE_LINE)]], msgspec.Meta(max_length=10)
    ] = []
    maturity_days: Annotated[int, msgspec.Meta(ge=30, le=1_095)] = MATURITY_DAYS


class BacktestAsked(msgspec.Struct, kw_only=True):
    """A replay that was asked for."""

    id: str
    state: str
