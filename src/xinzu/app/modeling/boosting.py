"""Fitting LightGBM: small trees, monotone where the card says so, the same result on every machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from xinzu.app.modeling.data import Value
from xinzu.middle.decisions.cards import Feature
from xinzu.middle.decisions.rules.models.coding import coded

TREES = 300
PARAMETERS: Mapping[str, Any] = {
    "objective": "binary",
    "num_leaves": 4,
    "learning_rate": 0.03,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "monotone_constraints_method": "advanced",
    "seed": 42,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
PRIOR_ROWS = 20.0  # a category's bad rate is drawn towards the average by as many rows


class NotBound(ValueError):
    """A monotone constraint names no feature, or the trees do not carry it: LightGBM itself would say nothing."""


def fit(columns: Mapping[str, Sequence[Value]], bads: Sequence[bool], features: Sequence[Feature]) -> tuple[str, list[Feature]]:
    """The text of a model, and the features as it reads them: categories in the order of their bad rate in these rows."""
    ordered = [_ordered(feature, columns[feature.name], bads) if feature.values else feature for feature in features]
    ways = [feature.monotone for feature in ordered]
    booster = lightgbm.train(
        {**PARAMETERS, "monotone_constraints": ways},
        lightgbm.Dataset(
            matrix(columns, ordered), np.asarray(bads, dtype=np.float64), feature_name=[each.name for each in ordered]
        ),
        num_boost_round=TREES,
    )
    text = booster.model_to_string()
    assert_bound(text, ordered)
    return text, ordered


def assert_bound(text: str, features: Sequence[Feature]) -> None:
    """Whether the model text carries every monotone constraint by the very name of its feature; raises NotBound."""
    head = dict(line.split("=", 1) for line in text.partition("\nTree=")[0].splitlines() if "=" in line)
    names, ways = head.get("feature_names", "").split(" "), head.get("monotone_constraints", "").split()
    carried = {name: int(way) for name, way in zip(names, ways, strict=False) if way != "0"}
    if carried != {feature.name: feature.monotone for feature in features if feature.monotone}:
        raise NotBound(f"the trees carry the constraints {carried}")


def raw_scores(text: str, columns: Mapping[str, Sequence[Value]], features: Sequence[Feature]) -> list[float]:
    """The log odds of bad of each row."""
    said = lightgbm.Booster(model_str=text).predict(matrix(columns, features), raw_score=True, num_threads=1)
    return [float(each) for each in np.asarray(said)]


def matrix(columns: Mapping[str, Sequence[Value]], features: Sequence[Feature]) -> NDArray[np.float64]:
    """Rows as the model reads them."""
    return np.array([[coded(feature, value) for value in columns[feature.name]] for feature in features], dtype=np.float64).T


def _ordered(feature: Feature, values: Sequence[Value], bads: Sequence[bool]) -> Feature:
    average = sum(bads) / len(bads)

    def rate(wanted: str) -> float:
        came = [bad for value, bad in zip(values, bads, strict=True) if value == wanted]
        return (sum(came) + PRIOR_ROWS * average) / (len(came) + PRIOR_ROWS)

    order = tuple(sorted(feature.values, key=lambda value: (rate(value), value)))
    return Feature(feature.name, feature.kind, feature.code, order, feature.monotone)
