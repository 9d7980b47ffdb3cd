"""Routes of credit, a file per part: reports, score sources, indicators."""

from __future__ import annotations

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler

from xinzu.middle.credit.http import indicators, reports, sources

routes: Sequence[ControllerRouterHandler] = [*indicators.routes, *reports.routes, *sources.routes]
