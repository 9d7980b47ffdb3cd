"""Evaluating a strategy: a pure function of its graph and the indicators (zen-engine, JDM format).

The engine is built once per graph with the static loader, which compiles it; making a decision object per call would cost a
hundred times more (docs/decisions). Python threads gain nothing here: the engine keeps the interpreter lock.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import msgspec
import zen

from xinzu.kernel.errors import invariant
from xinzu.middle.decisions.model import DecisionOutcome, Graph, Indicators, Strategy, Verdict

ENGINE_VERSION = f"zen-engine {version('zen-engine')}"
ENGINES_KEPT = 64
_KEY = "strategy"


class StrategyBroken(ValueError):
    """The engine failed or gave something that is no verdict: the checks before publishing should have caught it."""


class CompiledStrategy:
    """A strategy ready to be asked many times."""

    def __init__(self, graph: Graph) -> None:
        self._engine = zen.ZenEngine({"loader": {"type": "static", "content": {_KEY: dict(graph)}}})

    def evaluate(self, indicators: Indicators) -> Verdict:
        """The verdict on one application; raises StrategyBroken. A decline or referral is evaluated again for its trace."""
        started_ns = time.perf_counter_ns()
        outputs = self._ask(indicators, trace=False)["result"]
        duration_us = (time.perf_counter_ns() - started_ns) // 1000
        try:
            outcome = DecisionOutcome(outputs["outcome"])
            reason_codes = [str(code) for code in outputs["reason_codes"]]
        except (KeyError, TypeError, ValueError) as error:
            raise StrategyBroken(f"no verdict in the strategy's output: {error}") from error
        if (outcome is DecisionOutcome.APPROVE) == bool(reason_codes):
            raise StrategyBroken(f"{outcome} with reasons {reason_codes}: an approval has none, anything else at least one")
        trace = None
        if outcome is not DecisionOutcome.APPROVE:
            trace = rows_hit(self._ask(indicators, trace=True)["trace"])
        return Verdict(outcome, list(dict.fromkeys(reason_codes)), outputs, trace, duration_us)

    def _ask(self, indicators: Indicators, *, trace: bool) -> Mapping[str, Any]:
        try:
            return self._engine.evaluate(_KEY, indicators, {"trace": trace})
        except RuntimeError as error:
            raise StrategyBroken((str(error).splitlines() or ["no message"])[0][:500]) from error


@lru_cache(ENGINES_KEPT)
def _compiled(graph_sha256: str, graph_json: bytes) -> CompiledStrategy:
    return CompiledStrategy(msgspec.json.decode(graph_json))


def compiled(strategy: Strategy) -> CompiledStrategy:
    """The engine of a published strategy, built at most once per process and graph."""
    invariant(
        strategy.engine_version == ENGINE_VERSION,
        f"strategy {strategy.key} v{strategy.version} was checked for {strategy.engine_version}, here runs {ENGINE_VERSION}: "
        "publish it again",
    )
    return _compiled(strategy.graph_sha256, msgspec.json.encode(strategy.graph))


def rows_hit(trace: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The engine's trace reduced to what explains: per table row that hit, its id, its words and the facts it looked at."""
    hits = []
    for node in sorted(trace.values(), key=lambda node: node.get("order", 0)):
        rows: Sequence[Mapping[str, Any]] = node["traceData"] if isinstance(node.get("traceData"), list) else ()
        for row in rows:
            rule = row.get("rule", {})
            hits.append(
                {
                    "table": node["name"],
                    "row": rule.get("_id", ""),
                    "says": rule.get("_description", ""),
                    "facts": row.get("reference_map", {}),
                }
            )
    return hits
