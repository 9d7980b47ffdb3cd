"""The custom nodes through the engine: lists, scorecards, products, levels of review; and what fails approves nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from xinzu.middle.decisions.model import ArmCounts, DecisionOutcome, Experiment, Offer, Verdict
from xinzu.middle.decisions.rules.evaluation import CompiledStrategy, IndicatorUnknown, StrategyBroken
from xinzu.middle.decisions.rules.experiments import breach, is_within_budget, may_accept_at_random
from xinzu.middle.decisions.rules.nodes import ConfigWrong, config_of
from xinzu.middle.decisions.rules.strategy import trial_cases
from xinzu.middle.decisions.strategies import reason_catalogue

ORDINARY = trial_cases()["ordinary"]
HITS = "flatten([hits.own])"
CARD = {
    "output": "card",
    "base_points": 300,
    "characteristics": [
        {
            "indicator": "credit_score",
            "code": "SCORE_TOO_LOW",
            "bins": [
                {"low": 700, "points": 200},
                {"low": 600, "high": 700, "points": 120},
                {"high": 600, "points": 20},
                {"is_missing": True, "points": 60},
            ],
        },
        {
            "indicator": "rent_risk_rank",
            "code": "RENT_RISK_MEDIUM",
            "bins": [
                {"values": ["low"], "points": 100},
                {"values": ["medium"], "points": 40},
                {"values": ["high"], "points": 0},
            ],
        },
    ],
}


def strategy(kind: str, config: Mapping[str, Any], outcome: str, codes: str, scorer: Any = None, **more: str) -> CompiledStrategy:
    """A graph of one custom node and a verdict made of what it says."""
    expressions = [
        {"id": "o", "key": "outcome", "value": outcome},
        {"id": "c", "key": "reason_codes", "value": codes},
        *({"id": name, "key": name, "value": value} for name, value in more.items()),
    ]
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in", "content": {"schema": ""}},
        {"id": "own", "type": "customNode", "name": "own", "content": {"kind": kind, "config": config}},
        {"id": "v", "type": "expressionNode", "name": "v", "content": {"expressions": expressions, "passThrough": False}},
    ]
    edges = [
        {"id": "1", "sourceId": "in", "targetId": "own", "type": "edge"},
        {"id": "2", "sourceId": "own", "targetId": "v", "type": "edge"},
    ]
    return CompiledStrategy({"nodes": nodes, "edges": edges}, scorer)


def by_hits(kind: str, **config: Any) -> CompiledStrategy:
    worst = f"some({HITS}, #.outcome == 'decline') ? 'decline' : (len({HITS}) > 0 ? 'refer' : 'approve')"
    return strategy(kind, {"output": "hits.own", **config}, worst, f"map({HITS}, #.code)", review_level="review_level")


def test_a_list_that_matches_declines_and_one_nobody_looked_at_is_for_a_person() -> None:
    lists = by_hits("list_check", indicators=["list_match", "identity_mismatch"])
    clean = {**ORDINARY, "list_match": False, "identity_mismatch": False}
    assert lists.evaluate(clean).outcome == "approve"
    assert (
        lists.evaluate({**clean, "list_match": True}).outcome,
        lists.evaluate({**clean, "list_match": True}).reason_codes,
    ) == (
        "decline",
        ["LIST_MATCH"],
    )
    unscreened = lists.evaluate({**clean, "list_match": None})
    assert (unscreened.outcome, unscreened.reason_codes) == ("refer", ["LIST_NOT_SCREENED"])
    assert unscreened.trace == [{"table": "own", "row": "LIST_NOT_SCREENED", "says": "refer", "facts": {}}]


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, "approve"),
        ({"family": "loan"}, "refer"),
        ({"channel": "elsewhere"}, "refer"),
        ({"period_count": 25}, "refer"),
        ({"device_value_fen": 1_000_001}, "refer"),
    ],
)
def test_a_product_node_admits_what_the_strategy_is_made_for(changed: dict[str, Any], outcome: str) -> None:
    product = by_hits(
        "product", families=["rental"], channels=["direct"], period_count_min=0, period_count_max=24, value_fen_max=1_000_000
    )
    assert product.evaluate({**ORDINARY, **changed}).outcome == outcome


@pytest.mark.parametrize(
    ("score", "rank", "points", "codes"),
    [
        (720, "low", 600, []),
        (650, "low", 520, ["SCORE_TOO_LOW"]),
        (650, "high", 420, ["RENT_RISK_MEDIUM", "SCORE_TOO_LOW"]),
        (None, "medium", 400, ["SCORE_TOO_LOW", "RENT_RISK_MEDIUM"]),
        (720, None, 500, ["RENT_RISK_MEDIUM"]),  # no bin fits: the fewest points, never the best
    ],
)
def test_a_scorecard_gives_points_and_says_where_they_were_lost(
    score: int | None, rank: str | None, points: int, codes: list[str]
) -> None:
    card = strategy(
        "scorecard",
        CARD,
        "card.score >= 600 ? 'approve' : 'refer'",
        "card.score >= 600 ? [] : card.reason_codes",
        score="card.score",
    )
    verdict = card.evaluate({**ORDINARY, "credit_score": score, "rent_risk_rank": rank})
    assert (verdict.outputs["score"], verdict.reason_codes) == (points, codes)


def test_whatever_reaches_a_manual_review_goes_to_its_level() -> None:
    verdict = by_hits("manual_review", level="senior").evaluate(ORDINARY)
    assert (verdict.outcome, verdict.reason_codes, verdict.review_level) == ("refer", ["REVIEW_BY_POLICY"], "senior")


def test_a_model_is_asked_by_name_and_version_and_without_one_a_person_decides() -> None:
    config = {"output": "model.pd", "model": "pd", "version": 3}

    def scorer(key: str, version: int, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"score": 0.02 if (key, version) == ("pd", 3) and inputs["credit_score"] > 700 else 0.5}

    outcome, codes = "model.pd.score < 0.1 ? 'approve' : 'refer'", "model.pd.score < 0.1 ? [] : ['SCORE_TOO_LOW']"
    assert strategy("model", config, outcome, codes, scorer).evaluate(ORDINARY).outcome == "approve"
    nobody = strategy("model", config, outcome, codes)
    with pytest.raises(StrategyBroken):
        nobody.evaluate(ORDINARY)
    assert (nobody.decide(ORDINARY).outcome, nobody.decide(ORDINARY).reason_codes) == ("refer", ["STRATEGY_FAILED"])


def test_inputs_that_lack_an_indicator_approve_nobody() -> None:
    card = strategy("scorecard", CARD, "'approve'", "[]")
    inputs = {name: value for name, value in ORDINARY.items() if name != "credit_score"}
    with pytest.raises(IndicatorUnknown):
        card.evaluate(inputs)
    assert card.decide(inputs).reason_codes == ["INDICATOR_UNKNOWN"]


def test_an_approval_carries_an_offer_and_an_impossible_one_is_no_verdict() -> None:
    offered = strategy("scorecard", CARD, "'approve'", "[]", deposit_waiver_pct="80", credit_line_fen="2000000", price_band="'B'")
    assert offered.evaluate(ORDINARY).offer == Offer(80, 2_000_000, "B")
    for wrong in ({"deposit_waiver_pct": "101"}, {"credit_line_fen": "-1"}, {"credit_line_fen": "1.5"}, {"price_band": "7"}):
        with pytest.raises(StrategyBroken):
            strategy("scorecard", CARD, "'approve'", "[]", **wrong).evaluate(ORDINARY)


def test_a_configuration_that_cannot_be_read_says_why() -> None:
    with pytest.raises(ConfigWrong, match="period_count_maximum"):
        config_of("product", {"output": "x", "period_count_maximum": 3})


def test_only_a_decline_without_binding_reasons_may_be_accepted_at_random() -> None:
    def verdict(outcome: str, *codes: str) -> Verdict:
        return Verdict(DecisionOutcome(outcome), codes, {}, None, 0)

    catalogue = reason_catalogue()
    assert may_accept_at_random(verdict("decline", "SCORE_TOO_LOW", "VELOCITY_MAX"), catalogue)
    for never in (
        verdict("decline", "SCORE_TOO_LOW", "LIST_MATCH"),
        verdict("decline", "AGE_BELOW_MIN"),
        verdict("decline", "NOBODY_KNOWS"),
        verdict("refer", "SCORE_FOR_VALUE"),
        verdict("approve"),
    ):
        assert not may_accept_at_random(never, catalogue)


def test_the_budget_ends_by_count_and_by_amount() -> None:
    settings = Experiment(accept_bp=100, accept_count_max=2, accept_max_fen=1_000)
    assert is_within_budget(settings, 1, 400, 600)
    assert not is_within_budget(settings, 1, 401, 600)
    assert not is_within_budget(settings, 2, 0, 1)


@pytest.mark.parametrize(
    ("candidate", "rail"),
    [
        (ArmCounts(99, 0, 0, 99), None),  # too few to say anything
        (ArmCounts(200, 140, 20, 0), None),
        (ArmCounts(200, 80, 20, 0), "approval_rate"),
        (ArmCounts(200, 190, 5, 0), "approval_rate"),  # too generous is a breach as well
        (ArmCounts(200, 130, 65, 0), "refer_rate"),
        (ArmCounts(200, 140, 20, 12), "failure_rate"),
        (ArmCounts(100, 55, 10, 0), None),  # 15 points lower, but the near end of the interval is within 10
    ],
)
def test_a_guard_rail_breaks_only_when_the_sample_is_sure(candidate: ArmCounts, rail: str | None) -> None:
    assert breach(ArmCounts(2_000, 1_400, 200, 0), candidate, Experiment(count_min=100)) == rail
