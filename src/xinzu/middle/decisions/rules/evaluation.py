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
from xinzu.middle.decisions.model import DecisionOutcome, Graph, Indicators, Offer, ReviewLevel, Strategy, Verdict
from xinzu.middle.decisions.rules.graph import indicators_read
from xinzu.middle.decisions.rules.models.reading import given_scores
from xinzu.middle.decisions.rules.nodes import Scorer, handler

ENGINE_VERSION = f"zen-engine {version('zen-engine')}"
ENGINES_KEPT = 64
STRATEGY_FAILED, INDICATOR_UNKNOWN = "STRATEGY_FAILED", "INDICATOR_UNKNOWN"
_KEY = "strategy"


class StrategyBroken(ValueError):
    """The engine failed or gave something that is no verdict: the checks before publishing should have caught it."""


class IndicatorUnknown(StrategyBroken):
    """The strategy reads an indicator the inputs do not hold at all. The engine would take it for missing and say nothing."""


class CompiledStrategy:
    """A strategy ready to be asked many times. ``scorer`` answers its model nodes."""

    def __init__(self, graph: Graph, scorer: Scorer | None = None) -> None:
        self.reads = indicators_read(graph)
        self._engine = zen.ZenEngine(
            {"loader": {"type": "static", "content": {_KEY: dict(graph)}}, "customHandler": handler(scorer)}
        )

    def decide(self, indicators: Indicators) -> Verdict:
        """The verdict on one application, or a referral with a technical reason when there is none: nothing is approved by default."""
        try:
            return self.evaluate(indicators)
        except IndicatorUnknown:
            return refer_on_failure(INDICATOR_UNKNOWN)
        except StrategyBroken:
            return refer_on_failure(STRATEGY_FAILED)

    def evaluate(self, indicators: Indicators) -> Verdict:
        """The verdict on one application; raises StrategyBroken. A decline or referral is evaluated again for its trace."""
        if unknown := self.reads - indicators.keys():
            raise IndicatorUnknown(f"the inputs hold no {', '.join(sorted(unknown))}")
        started_ns = time.perf_counter_ns()
        outputs = self._ask(indicators, trace=False)["result"]
        duration_us = (time.perf_counter_ns() - started_ns) // 1000
        outcome, reason_codes, offer, level = said(outputs)
        trace = None
        if outcome is not DecisionOutcome.APPROVE:
            trace = rows_hit(self._ask(indicators, trace=True)["trace"])
        return Verdict(outcome, reason_codes, outputs, trace, duration_us, offer, level)

    def _ask(self, indicators: Indicators, *, trace: bool) -> Mapping[str, Any]:
        try:
            return self._engine.evaluate(_KEY, indicators, {"trace": trace})
        except Exception as error:
            raise StrategyBroken((str(error).splitlines() or ["no message"])[0][:500]) from error


def said(outputs: Any) -> tuple[DecisionOutcome, list[str], Offer, ReviewLevel | None]:  # noqa: ANN401 (a JSON value)
    """The verdict in a strategy's outputs: outcome, reasons, offer, level of review; raises StrategyBroken when it is none."""
    try:
        outcome = DecisionOutcome(outputs["outcome"])
        reason_codes = [str(code) for code in outputs["reason_codes"]]
    except (KeyError, TypeError, ValueError) as error:
        raise StrategyBroken(f"no verdict in the strategy's output: {error}") from error
    if (outcome is DecisionOutcome.APPROVE) == bool(reason_codes):
        raise StrategyBroken(f"{outcome} with reasons {reason_codes}: an approval has none, anything else at least one")
    return outcome, list(dict.fromkeys(reason_codes)), _offer(outcome, outputs), _review_level(outcome, outputs)


def refer_on_failure(reason_code: str) -> Verdict:
    """The verdict when a strategy gave none: a person decides."""
    return Verdict(DecisionOutcome.REFER, [reason_code], {"hits": []}, [], 0, review_level=ReviewLevel.REVIEWER)


def _offer(outcome: DecisionOutcome, outputs: Mapping[str, Any]) -> Offer:
    """What an approval carries; raises StrategyBroken for a share, amount or band that is none."""
    if outcome is not DecisionOutcome.APPROVE:
        return Offer()
    waiver, line, band = (outputs.get(name) for name in ("deposit_waiver_pct", "credit_line_fen", "price_band"))
    if not (waiver is None or (_is_whole(waiver) and 0 <= waiver <= 100)):
        raise StrategyBroken(f"deposit_waiver_pct is a whole number from 0 to 100, found {waiver!r}")
    if not (line is None or (_is_whole(line) and line >= 0)):
        raise StrategyBroken(f"credit_line_fen is a whole number of fen, found {line!r}")
    if not (band is None or (isinstance(band, str) and 0 < len(band) <= 40)):
        raise StrategyBroken(f"price_band is a short text, found {band!r}")
    return Offer(waiver, line, band)


def _review_level(outcome: DecisionOutcome, outputs: Mapping[str, Any]) -> ReviewLevel | None:
    if outcome is not DecisionOutcome.REFER:
        return None
    try:
        return ReviewLevel(outputs.get("review_level") or ReviewLevel.REVIEWER)
    except ValueError as error:
        raise StrategyBroken(f"review_level is one of {', '.join(ReviewLevel)}") from error


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@lru_cache(ENGINES_KEPT)
def _compiled(graph_sha256: str, graph_json: bytes) -> CompiledStrategy:
    return CompiledStrategy(msgspec.json.decode(graph_json), given_scores)


def compiled(strategy: Strategy) -> CompiledStrategy:
    """The engine of a published strategy, built at most once per process and graph."""
    invariant(
        strategy.engine_version == ENGINE_VERSION,
        f"strategy {strategy.key} v{strategy.version} was checked for {strategy.engine_version}, here runs {ENGINE_VERSION}: "
        "publish it again",
    )
    return _compiled(strategy.graph_sha256, msgspec.json.encode(strategy.graph))


def engine_of(strategy: Strategy) -> CompiledStrategy | None:
    """The engine of a strategy that is to decide now; None when it was checked for another engine or cannot be read any more."""
    if strategy.engine_version != ENGINE_VERSION:
        return None
    try:
        return compiled(strategy)
    except Exception:  # noqa: BLE001 (the engine raises bare Exception for a graph it cannot read)
        return None


def rows_hit(trace: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The engine's trace reduced to what explains: per table row that hit, its id, its words and the facts it looked at; of custom nodes
    their hits, of a scorecard its points."""
    hits = []
    for node in sorted(trace.values(), key=lambda node: node.get("order", 0)):
        said = node.get("traceData")
        rows: Sequence[Mapping[str, Any]] = said if isinstance(said, list) else ()
        for row in rows:
            rule = row.get("rule", {})
            hits.append(_hit(node, rule.get("_id", ""), rule.get("_description", ""), row.get("reference_map", {})))
        if isinstance(said, dict) and isinstance(said.get("hits"), list):
            hits += [_hit(node, hit["code"], hit["outcome"], {}) for hit in said["hits"]]
        elif isinstance(said, dict) and "points" in said:
            hits.append(_hit(node, "score", str(said["score"]), said["points"]))
    return hits


def _hit(node: Mapping[str, Any], row: str, says: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"table": node["name"], "row": row, "says": says, "facts": facts}
