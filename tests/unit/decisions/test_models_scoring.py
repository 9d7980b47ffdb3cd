"""What a model says of one applicant."""

from __future__ import annotations

import subprocess
import sys
from math import exp

import pytest
from tests.unit.decisions.models_made import FEATURES, NEW, RANK, SCORE, VELOCITY, applicants, card, lightgbm_text, scorecard_text

from xinzu.middle.decisions.cards import Calibration
from xinzu.middle.decisions.model import Indicators
from xinzu.middle.decisions.rules.models.coding import points_of
from xinzu.middle.decisions.rules.models.reading import given_scores, models_read, scorer_of, with_scores
from xinzu.middle.decisions.rules.models.scoring import ReadyModel, ready_model

GOOD: Indicators = {SCORE: 790, VELOCITY: 0, RANK: "low", NEW: False}
POOR: Indicators = {SCORE: 480, VELOCITY: 4, RANK: "high", NEW: True}


@pytest.fixture(scope="module")
def boosted() -> ReadyModel:
    return ready_model("lightgbm", lightgbm_text(), FEATURES, Calibration(0.0, 1.0))


@pytest.fixture(scope="module")
def table() -> ReadyModel:
    shown = card("scorecard")
    return ready_model("scorecard", scorecard_text(), shown.features, shown.calibration)


def test_more_points_mean_less_risk_of_every_kind(boosted: ReadyModel, table: ReadyModel) -> None:
    for model in (boosted, table):
        good, poor = model(GOOD), model(POOR)
        assert good.score > poor.score
        assert good.pd < poor.pd


def test_a_scorecard_adds_up_exactly(table: ReadyModel) -> None:
    assert table(GOOD).score == 480 + 80 + 40 + 30
    assert table(POOR).score == 480 + 0 + 5 + 0
    assert table({}).score == 480 + 10 + 5 + 0  # what is unknown is never taken for good


def test_the_points_lost_are_the_reasons(table: ReadyModel) -> None:
    assert table(POOR).reason_codes == ["MODEL_REPAYMENT_HISTORY", "MODEL_RECENT_APPLICATIONS", "RENT_RISK_HIGH"]
    assert table(GOOD).reason_codes == []


def test_lightgbm_gives_the_families_that_add_risk(boosted: ReadyModel) -> None:
    poor = boosted(POOR).reason_codes
    assert poor[0] == "MODEL_REPAYMENT_HISTORY"
    assert {"MODEL_RECENT_APPLICATIONS", "RENT_RISK_HIGH"} <= set(poor)
    assert "MODEL_REPAYMENT_HISTORY" not in boosted(GOOD).reason_codes


def test_a_probability_is_the_calibrated_one(table: ReadyModel) -> None:
    assert table(GOOD).pd == pytest.approx(1 / (1 + exp(-(13.4 - 0.0347 * 630))), abs=1e-6)


def test_points_double_the_odds_every_twenty() -> None:
    assert points_of(0.0) == 487  # as many good as bad
    assert points_of(0.0) - points_of(0.6931471805599453) == 20


def test_a_value_of_another_type_is_missing(boosted: ReadyModel) -> None:
    assert boosted({**GOOD, SCORE: "790"}) == boosted({**GOOD, SCORE: None})
    assert boosted({**GOOD, RANK: "unheard of"}) == boosted({**GOOD, RANK: None})
    assert boosted({**GOOD, NEW: 1}) == boosted({**GOOD, NEW: None})


def test_the_graph_reads_what_was_computed_before_it(boosted: ReadyModel) -> None:
    models = {("shop_risk", 3): boosted}
    inputs = with_scores(POOR, models)
    assert given_scores("shop_risk", 3, inputs) == scorer_of(models)("shop_risk", 3, POOR) == boosted(POOR).as_values()
    assert POOR.keys() == {SCORE, VELOCITY, RANK, NEW}  # the applicant's own inputs stay as they were
    with pytest.raises(LookupError):
        given_scores("shop_risk", 2, inputs)


def test_a_model_without_reasons_against_gives_none(table: ReadyModel) -> None:
    assert given_scores("card", 1, with_scores(GOOD, {("card", 1): table}))["reason_codes"] == []


def test_models_are_found_in_a_graph() -> None:
    config = {"output": "model.shop_risk", "model": "shop_risk", "version": 2}
    node = {"id": "m", "name": "m", "type": "customNode", "content": {"kind": "model", "config": config}}
    broken = {"id": "n", "name": "n", "type": "customNode", "content": {"kind": "model", "config": {"model": "x"}}}
    assert models_read({"nodes": [node, broken], "edges": []}) == {("shop_risk", 2)}
    assert models_read({"nodes": 1}) == models_read({"nodes": [1, {"type": "customNode"}]}) == models_read({}) == set()


def test_scoring_tells_bad_from_good(boosted: ReadyModel) -> None:
    people, bads = applicants(seed=8)
    points = [boosted(person).score for person in people]
    good = [score for score, bad in zip(points, bads, strict=True) if not bad]
    poor = [score for score, bad in zip(points, bads, strict=True) if bad]
    assert sum(good) / len(good) > sum(poor) / len(poor) + 20


def test_what_does_not_score_does_not_load_lightgbm() -> None:
    """scipy and LightGBM take seconds and 100 MB: a process pays for them with its first model."""
    code = (
        "import sys; import xinzu.app.modules, xinzu.middle.decisions.http, xinzu.app.cli;"
        "print(sorted({'lightgbm', 'scipy', 'sklearn', 'pandas', 'optbinning'} & sys.modules.keys()))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
