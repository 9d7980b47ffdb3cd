"""What keeps a model out of the registry."""

from __future__ import annotations

import base64
import pickle

import msgspec
import pytest
from tests.unit.decisions.models_made import FEATURES, SCORECARD, card, lightgbm_text, scorecard_text

from xinzu.middle.decisions.cards import Calibration, Card, Feature, Training
from xinzu.middle.decisions.rules.models.checks import not_delivered, problems
from xinzu.middle.decisions.rules.models.lightgbm_text import TextWrong, read_forest
from xinzu.middle.decisions.strategies import reason_catalogue


def found(shown: Card, artefact: str) -> set[str]:
    return {each.code.rpartition(".")[2] for each in problems(shown, artefact, reason_catalogue())}


def with_feature(place: int, feature: Feature) -> tuple[Feature, ...]:
    return (*FEATURES[:place], feature, *FEATURES[place + 1 :])


def test_a_well_made_model_of_each_kind_has_no_findings() -> None:
    assert problems(card(), lightgbm_text(), reason_catalogue()) == []
    assert problems(card("scorecard"), scorecard_text(), reason_catalogue()) == []
    assert not_delivered(card()) == []


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_pickle_is_refused_as_what_it_is(protocol: int) -> None:
    made = pickle.dumps({"model": 1}, protocol)
    assert found(card(), base64.b64encode(made).decode()) == {"pickle"}
    assert found(card(), made.decode("latin-1")) == {"pickle"}


def test_another_kind_is_refused_by_its_type() -> None:
    with pytest.raises(msgspec.ValidationError, match="kind"):
        msgspec.convert({**msgspec.to_builtins(card()), "kind": "pickle"}, Card)


def test_features_in_another_order_are_refused() -> None:
    assert found(card(features=(FEATURES[1], FEATURES[0], *FEATURES[2:])), lightgbm_text()) == {"order"}


def test_a_constraint_the_trees_do_not_carry_is_refused() -> None:
    unbound = with_feature(0, Feature(FEATURES[0].name, "number", FEATURES[0].code))
    assert found(card(features=unbound), lightgbm_text()) == {"monotone"}


@pytest.mark.parametrize("name", ["sex", "age_years", "marital_status", "applicant_age", "ethnic_group"])
def test_protected_attributes_are_no_features(name: str) -> None:
    renamed = with_feature(1, Feature(name, "number", FEATURES[1].code, monotone=1))
    assert "protected" in found(card(features=renamed), lightgbm_text())


def test_the_age_of_a_device_is_not_a_persons() -> None:
    renamed = with_feature(1, Feature("device_age_days", "number", FEATURES[1].code, monotone=1))
    assert "protected" not in found(card(features=renamed), lightgbm_text())


def test_a_reason_nobody_can_explain_is_refused() -> None:
    assert found(card(features=with_feature(3, Feature(FEATURES[3].name, "flag", "BECAUSE"))), lightgbm_text()) == {
        "unknown_reason"
    }


def test_figures_that_cannot_be_are_refused() -> None:
    assert found(card(calibration=Calibration(0.0, -1.0)), lightgbm_text()) == {"calibration"}
    assert found(card("scorecard", calibration=Calibration(0.0, 1.0)), scorecard_text()) == {"calibration"}
    assert found(card(training=Training("made up", "bad", 10, 10)), lightgbm_text()) == {"bad_rows"}
    assert found(card(baseline=card("scorecard").baseline), lightgbm_text()) == {"baseline"}


def test_a_scorecard_whose_points_turn_round_is_refused() -> None:
    turned = msgspec.json.decode(msgspec.json.encode(SCORECARD))
    turned["characteristics"][0]["bins"][2]["points"] = 20
    assert found(card("scorecard"), msgspec.json.encode(turned).decode()) == {"monotone"}


def test_what_is_no_scorecard_is_refused() -> None:
    for text in ("", "[]", "{", '{"output": "model"}', lightgbm_text()):
        assert found(card("scorecard"), text) == {"artefact"}


def test_a_model_of_what_nobody_delivers_is_not_published() -> None:
    renamed = with_feature(1, Feature("shoe_size", "number", FEATURES[1].code, monotone=1))
    other_kind = with_feature(3, Feature(FEATURES[3].name, "number", FEATURES[3].code))
    assert [each.pointer for each in not_delivered(card(features=renamed))] == ["/card/features/1"]
    assert [each.pointer for each in not_delivered(card(features=other_kind))] == ["/card/features/3"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("tree\n", "forest\n"),
        ("split_feature=", "split_feature=999 "),
        ("num_leaves=4", "num_leaves=400"),
        ("left_child=", "left_child=7 "),
        ("num_cat=0", "num_cat=1"),
        ("is_linear=0", "is_linear=1"),
        ("objective=binary sigmoid:1", "objective=multiclass num_class:3"),
        ("max_feature_idx=3", "max_feature_idx=900000"),
        ("tree_sizes=", "tree_sizes=9"),
        ("end of trees", "end of tales"),
        ("num_class=1", "num_class=2"),
    ],
)
def test_numbers_the_native_reader_would_follow_are_checked_first(before: str, after: str) -> None:
    with pytest.raises(TextWrong):
        read_forest(lightgbm_text().replace(before, after, 1))


def test_children_that_run_in_a_circle_are_refused() -> None:
    text = lightgbm_text()
    start = text.index("left_child=")
    line = text[start : text.index("\n", start)]
    circle = "left_child=" + " ".join("0" for _ in line.removeprefix("left_child=").split())
    grown = text.replace(line, circle.ljust(len(line)), 1)
    with pytest.raises(TextWrong):
        read_forest(grown)
