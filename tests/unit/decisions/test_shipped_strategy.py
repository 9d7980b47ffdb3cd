"""The strategy of phone rentals, rule by rule."""

from __future__ import annotations

import pytest

from xinzu.middle.decisions.model import DecisionOutcome, Indicators, ReasonUse
from xinzu.middle.decisions.rules.evaluation import CompiledStrategy
from xinzu.middle.decisions.rules.strategy import findings, sanitised, trial_cases
from xinzu.middle.decisions.strategies import PHONE_RENTAL, reason_catalogue, shipped_graph

GRAPH = sanitised(shipped_graph(PHONE_RENTAL))
STRATEGY = CompiledStrategy(GRAPH)
ORDINARY = trial_cases()["ordinary"]


def decide(**changed: str | int | float | bool | None) -> tuple[str, list[str]]:
    verdict = STRATEGY.evaluate({**ORDINARY, **changed})
    return verdict.outcome, list(verdict.reason_codes)


def test_it_passes_its_own_checks_and_counsel_is_asked_about_its_age_bands() -> None:
    found = findings(GRAPH, reason_catalogue())
    assert [(each.severity, each.code, each.row, each.counsel) for each in found] == [
        ("warning", "age_beyond_floor", "E03", True),
        ("warning", "age_beyond_floor", "E04", True),
    ]


def test_a_limit_made_for_phones_sends_a_dear_financing_to_a_person_and_declines_nobody() -> None:
    dear = {"device_value_fen": 10_000_000, "exposure_after_fen": 10_000_000, "applications_before": 1}
    assert decide(**dear)[0] == "decline"
    for family in ("finance_lease", "loan"):
        outcome, codes = decide(**dear, family=family)
        assert (outcome, "EXPOSURE_MAX" in codes) == ("refer", False)


def test_an_ordinary_customer_is_approved_without_reasons_or_trace() -> None:
    verdict = STRATEGY.evaluate(ORDINARY)
    assert (verdict.outcome, verdict.reason_codes, verdict.trace) == (DecisionOutcome.APPROVE, [], None)


@pytest.mark.parametrize(
    ("changed", "outcome", "code"),
    [
        ({"age_years": None}, "refer", "AGE_UNKNOWN"),
        ({"age_years": 17}, "decline", "AGE_BELOW_MIN"),
        ({"age_years": 66}, "decline", "AGE_ABOVE_MAX"),
        ({"age_years": 19, "device_value_fen": 800_001}, "refer", "YOUNG_HIGH_VALUE"),
        ({"channel_admitted": False}, "decline", "CHANNEL_NOT_ADMITTED"),
        ({"channel_admitted": None, "credit_score": None}, "refer", "CREDIT_SIGNAL_MISSING"),
        ({"rent_risk_rank": "high"}, "decline", "RENT_RISK_HIGH"),
        ({"rent_risk_rank": "medium", "device_value_fen": 600_001}, "refer", "RENT_RISK_MEDIUM"),
        ({"list_match": True}, "decline", "LIST_MATCH"),
        ({"identity_mismatch": True}, "decline", "IDENTITY_MISMATCH"),
        ({"agent_suspected": True}, "refer", "AGENT_SUSPECTED"),
        ({"shared_address": True}, "refer", "SHARED_ADDRESS"),
        ({"shared_device": True}, "refer", "SHARED_DEVICE"),
        ({"black_list_cnt": 1}, "decline", "LIST_MATCH"),
        ({"grey_list_cnt": 1}, "refer", "GREY_LIST_MATCH"),
        ({"watch_list_cnt": 1}, "refer", "WATCH_LIST_MATCH"),
        ({"related_component_cnt": 5}, "refer", "RELATED_RING"),
        ({"related_black_deg1_cnt": 1}, "refer", "RELATED_BLACK"),
        ({"related_bad_deg1_cnt": 1}, "refer", "RELATED_BAD"),
        ({"related_rental_cnt": 5}, "refer", "RELATED_RENTALS_MAX"),
        ({"readdressed_cnt_30d": 1}, "refer", "READDRESSED"),
        ({"dealer_apply_cnt_10m": 10}, "refer", "DEALER_BURST"),
        ({"active_orders": 3}, "decline", "ACTIVE_ORDERS_MAX"),
        ({"active_orders": 2, "credit_score": 699}, "refer", "ACTIVE_ORDERS_REVIEW"),
        ({"exposure_after_fen": 3_000_001}, "decline", "EXPOSURE_MAX"),
        ({"overdue_orders": 1}, "decline", "ARREARS_OPEN"),
        ({"credit_score": 549}, "decline", "SCORE_TOO_LOW"),
        ({"credit_score": 599, "device_value_fen": 300_001}, "refer", "SCORE_FOR_VALUE"),
        ({"credit_score": 649, "device_value_fen": 600_001}, "refer", "SCORE_FOR_VALUE"),
        ({"credit_score": 699, "device_value_fen": 1_000_001}, "refer", "SCORE_FOR_VALUE"),
        ({"device_value_fen": 2_000_001, "applications_before": 1}, "refer", "DEVICE_VALUE_HIGH"),
        ({"applications_24h": 5}, "decline", "VELOCITY_MAX"),
        ({"applications_24h": 3}, "refer", "VELOCITY_REVIEW"),
        ({"declines_90d": 3}, "refer", "DECLINES_RECENT"),
        ({"applications_before": 0, "device_value_fen": 1_200_001}, "refer", "NEW_PARTY_HIGH_VALUE"),
    ],
)
def test_each_row_gives_its_reason(changed: Indicators, outcome: str, code: str) -> None:
    assert decide(**changed) == (outcome, [code])


@pytest.mark.parametrize(
    "changed",
    [
        {"age_years": 18},
        {"age_years": 65},
        {"age_years": 19, "device_value_fen": 800_000},
        {"rent_risk_rank": "medium", "device_value_fen": 600_000},
        {"rent_risk_rank": None},
        {"channel_admitted": None},
        {"credit_score": None},
        {"list_match": False, "shared_device": False},
        {"active_orders": 2, "credit_score": 700},
        {"exposure_after_fen": 3_000_000},
        {"credit_score": 550, "device_value_fen": 300_000},
        {"credit_score": 600, "device_value_fen": 600_000},
        {"credit_score": 650, "device_value_fen": 1_000_000},
        {"applications_24h": 2},
        {"applications_before": 0, "device_value_fen": 1_200_000},
    ],
)
def test_the_edges_still_pass(changed: Indicators) -> None:
    assert decide(**changed) == ("approve", [])


def test_a_decline_names_only_what_declined_and_traces_every_row_that_hit() -> None:
    verdict = STRATEGY.evaluate({**ORDINARY, "credit_score": 540, "shared_address": True})
    assert (verdict.outcome, verdict.reason_codes) == ("decline", ["SCORE_TOO_LOW"])
    assert verdict.trace is not None
    assert [row["row"] for row in verdict.trace] == ["F04", "S01"]
    assert verdict.trace[1]["facts"]["credit_score ?? 999"] == 540


def test_every_reason_in_the_catalogue_is_used_by_the_strategy_by_custom_nodes_by_models_or_by_people() -> None:
    codes = {
        row["code"].strip("'")
        for node in GRAPH["nodes"]
        if node["type"] == "decisionTableNode"
        for row in node["content"]["rules"]
    }
    # What custom nodes say unless their configuration says otherwise.
    codes |= {"PRODUCT_NOT_OFFERED", "LIST_NOT_SCREENED", "REVIEW_BY_POLICY"}
    # The families of features a registered model gives as its reasons.
    codes |= {
        f"MODEL_{family}" for family in ("REPAYMENT_HISTORY", "DEBT_BURDEN", "STABILITY", "RECENT_APPLICATIONS", "TERMS", "MEANS")
    }
    assert codes == {code for code, reason in reason_catalogue().items() if reason.use is ReasonUse.STRATEGY}
