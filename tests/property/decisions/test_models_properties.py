"""What holds of every model: figures by their definition, trees by their text, order by their constraints."""

from __future__ import annotations

from itertools import product
from math import isclose, isnan

import lightgbm
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.decisions.models_made import FEATURES, NEW, RANK, SCORE, VELOCITY, lightgbm_text, scorecard_text

from xinzu.middle.decisions.cards import Calibration, Feature
from xinzu.middle.decisions.rules.models.coding import coded
from xinzu.middle.decisions.rules.models.fairness import Treated, group_fairness
from xinzu.middle.decisions.rules.models.lightgbm_text import TextWrong, Tree, read_forest
from xinzu.middle.decisions.rules.models.metrics import auc, ks, wilson
from xinzu.middle.decisions.rules.models.scoring import ready_model

people = st.fixed_dictionaries(
    {
        SCORE: st.none() | st.integers(350, 950),
        VELOCITY: st.integers(0, 12),
        RANK: st.none() | st.sampled_from(["low", "medium", "high", "other"]),
        NEW: st.none() | st.booleans(),
    }
)
outcomes = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=2, max_size=60)
BOOSTED = ready_model("lightgbm", lightgbm_text(), FEATURES, Calibration(0.0, 1.0))
TABLE = ready_model("scorecard", scorecard_text(), FEATURES[:3], Calibration(13.4, -0.0347))
FOREST = read_forest(lightgbm_text())
NATIVE = lightgbm.Booster(model_str=lightgbm_text())


def leaf(tree: Tree, row: list[float]) -> float:
    """A tree walked by its text: missing goes where the split says (LightGBM: bit 1 default left, bits 2-3 what is missing)."""
    if not tree.split_feature:
        return tree.leaf_value[0]
    node = 0
    while node >= 0:
        value, kind = row[tree.split_feature[node]], tree.decision_type[node]
        missing = (kind >> 2) & 3
        if isnan(value) and missing != 2:
            value = 0.0
        goes_left = (
            bool(kind & 2)
            if (missing == 2 and isnan(value)) or (missing == 1 and abs(value) <= 1e-35)
            else value <= tree.threshold[node]
        )
        node = tree.left_child[node] if goes_left else tree.right_child[node]
    return tree.leaf_value[-node - 1]


@given(people)
def test_the_text_says_what_lightgbm_says(person: dict[str, object]) -> None:
    row = [coded(feature, person[feature.name]) for feature in FEATURES]
    by_hand = sum(leaf(tree, row) for tree in FOREST.trees)
    native = float(np.asarray(NATIVE.predict(np.array([row]), raw_score=True))[0])
    contributions = np.asarray(NATIVE.predict(np.array([row]), pred_contrib=True))[0]
    assert isclose(by_hand, native, rel_tol=1e-9, abs_tol=1e-9)
    assert isclose(float(contributions.sum()), native, rel_tol=1e-9, abs_tol=1e-9)


@given(people, st.integers(350, 949), st.integers(1, 300))
def test_a_better_score_never_costs_points(person: dict[str, object], score: int, more: int) -> None:
    for model in (BOOSTED, TABLE):
        assert model({**person, SCORE: score + more}).score >= model({**person, SCORE: score}).score


@given(people)
def test_a_score_is_the_same_every_time_and_has_four_reasons_at_most(person: dict[str, object]) -> None:
    for model in (BOOSTED, TABLE):
        first = model(person)
        assert model(person) == first
        assert len(first.reason_codes) == len(set(first.reason_codes)) <= 4
        assert 0 < first.pd < 1


@given(outcomes)
def test_the_area_is_the_share_of_pairs_in_order(rows: list[tuple[int, bool]]) -> None:
    scores, bads = [float(score) for score, _ in rows], [bad for _, bad in rows]
    good = [score for score, bad in zip(scores, bads, strict=True) if not bad]
    poor = [score for score, bad in zip(scores, bads, strict=True) if bad]
    if not good or not poor:
        assert auc(scores, bads) is ks(scores, bads) is None
        return
    pairs = [1.0 if low < high else 0.5 if low == high else 0.0 for low, high in product(poor, good)]
    distances = [
        abs(sum(each <= cut for each in poor) / len(poor) - sum(each <= cut for each in good) / len(good)) for cut in set(scores)
    ]
    area, distance = auc(scores, bads), ks(scores, bads)
    assert area is not None
    assert distance is not None
    assert isclose(area, sum(pairs) / len(pairs))
    assert isclose(distance, max(distances), abs_tol=1e-12)


@given(st.integers(1, 5_000).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_an_interval_holds_its_share(hits_of: tuple[int, int]) -> None:
    hits, count = hits_of
    told = wilson(hits, count)
    assert told is not None
    assert 0 <= told.low <= told.share <= told.high <= 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.sampled_from([True, False, None])), max_size=200))
def test_the_best_group_has_ratio_one_and_no_other_more(rows: list[tuple[str, bool, bool | None]]) -> None:
    told = group_fairness([Treated(*row) for row in rows])
    ratios = [each.adverse_impact_ratio for each in told if each.adverse_impact_ratio is not None]
    assert all(0 <= ratio <= 1 for ratio in ratios)
    assert not ratios or max(ratios) == 1


@given(st.data())
def test_a_text_somebody_wrote_into_is_read_right_or_not_at_all(data: st.DataObject) -> None:
    """A number in a tree is exchanged for another: the reader refuses, or every index stays inside."""
    text = lightgbm_text()
    start = text.index("Tree=0")
    places = [place for place in range(start, text.index("Tree=1")) if text[place].isdigit()]
    place = data.draw(st.sampled_from(places))
    changed = text[:place] + data.draw(st.sampled_from("0123456789-")) + text[place + 1 :]
    try:
        forest = read_forest(changed)
    except TextWrong:
        return
    tree = forest.trees[0]
    assert all(0 <= feature < len(FEATURES) for feature in tree.split_feature)
    assert {*tree.left_child, *tree.right_child} <= set(range(-len(tree.leaf_value), len(tree.split_feature)))


@given(st.text(max_size=20) | st.integers() | st.floats() | st.booleans() | st.none())
def test_a_code_is_a_place_among_the_values_or_no_number(value: object) -> None:
    told = coded(Feature("rank", "category", "X", ("low", "high")), value)
    assert isnan(told) if value not in ("low", "high") else told in (0.0, 1.0)
