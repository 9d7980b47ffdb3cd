"""Scoring one applicant: points, the probability of default, and the reasons against.

Points rise as risk falls, of every kind of model. The reasons of a scorecard are the points lost against the best bin of each
characteristic; those of LightGBM are what each family of features adds to the log odds against the average applicant of the training data
(exact TreeSHAP, Lundberg and others, 2018), the greatest first, four at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from xinzu.middle.decisions.cards import Calibration, Feature, Kind
from xinzu.middle.decisions.rules.models.coding import coded, points_of
from xinzu.middle.decisions.rules.models.lightgbm_text import checked_part
from xinzu.middle.decisions.rules.nodes import REASONS_LOST_MAX, Scorecard, Values, config_of, score

PD_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Scored:
    """``pd`` is the probability of what the training called bad, 0 to 1."""

    score: int
    pd: float
    reason_codes: Sequence[str]

    def as_values(self) -> dict[str, Any]:
        """As the graph reads it: ``model.<key>.score`` and its neighbours."""
        return {"score": self.score, "pd": self.pd, "reason_codes": list(self.reason_codes)}


class ReadyModel(Protocol):
    """A model that was read once and scores many times."""

    def __call__(self, inputs: Values) -> Scored: ...


def ready_model(kind: Kind, artefact: str, features: Sequence[Feature], calibration: Calibration) -> ReadyModel:
    """The model of an artefact that ``checks`` found nothing wrong with. LightGBM is imported by the first of its kind only: it takes
    scipy with it."""
    if kind == "scorecard":
        return _scorecard(scorecard_of(artefact), calibration)
    return _lightgbm(artefact, features, calibration)


def scorecard_of(artefact: str) -> Scorecard:
    """The scorecard of an artefact; raises msgspec.DecodeError or nodes.ConfigWrong."""
    config = config_of("scorecard", msgspec.json.decode(artefact))
    assert isinstance(config, Scorecard)
    return config


def _scorecard(card: Scorecard, calibration: Calibration) -> ReadyModel:
    def scored(inputs: Values) -> Scored:
        said = score(card, inputs)
        return Scored(said["score"], round(calibration.probability(said["score"]), PD_DIGITS), said["reason_codes"])

    return scored


def _lightgbm(artefact: str, features: Sequence[Feature], calibration: Calibration) -> ReadyModel:
    import lightgbm
    import numpy as np

    booster = lightgbm.Booster(model_str=checked_part(artefact))

    def scored(inputs: Values) -> Scored:
        row = np.array([[coded(feature, inputs.get(feature.name)) for feature in features]])
        # The last contribution is the average; together they are the log odds, up to the rounding of a sum.
        contributions = np.asarray(booster.predict(row, pred_contrib=True, num_threads=1))[0]
        log_odds = calibration.log_odds(float(contributions.sum()))
        families: dict[str, float] = {}
        for feature, added in zip(features, contributions[:-1].tolist(), strict=True):
            families[feature.code] = families.get(feature.code, 0.0) + added
        pd = calibration.probability(float(contributions.sum()))
        return Scored(points_of(log_odds), round(pd, PD_DIGITS), adverse(families))

    return scored


def adverse(added: Mapping[str, float]) -> list[str]:
    """The reasons that add risk, the greatest first. What adds less than a hundredth of the log odds is none.

    >>> adverse({"DEBT": 0.4, "HISTORY": -1.2, "VELOCITY": 0.7, "STABILITY": 0.001})
    ['VELOCITY', 'DEBT']
    """
    against = sorted(((size, code) for code, size in added.items() if size >= 0.01), key=lambda each: (-each[0], each[1]))
    return [code for _, code in against[:REASONS_LOST_MAX]]
