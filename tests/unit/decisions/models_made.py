"""Models of a made-up shop: applicants from a seed, whose risk falls with the channel's score and rises with haste and a bad rank."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import lightgbm
import msgspec
import numpy as np

from xinzu.middle.credit import api as credit
from xinzu.middle.decisions.cards import Baseline, Calibration, Card, Feature, Parts, Training
from xinzu.middle.decisions.model import Indicators
from xinzu.middle.decisions.rules.models.coding import coded

RANK, SCORE, VELOCITY, NEW = "rent_risk_rank", "credit_score", "applications_24h", "shared_device"
FEATURES = (
    Feature(SCORE, "number", "MODEL_REPAYMENT_HISTORY", monotone=-1),
    Feature(VELOCITY, "number", "MODEL_RECENT_APPLICATIONS", monotone=1),
    Feature(RANK, "category", "RENT_RISK_HIGH", ("low", "medium", "high")),
    Feature(NEW, "flag", "SHARED_DEVICE"),
)
SCORECARD: dict[str, Any] = {
    "output": "model",
    "base_points": 480,
    "characteristics": [
        {
            "indicator": SCORE,
            "code": "MODEL_REPAYMENT_HISTORY",
            "bins": [
                {"high": 600.0, "points": 0},
                {"low": 600.0, "high": 700.0, "points": 35},
                {"low": 700.0, "points": 80},
                {"is_missing": True, "points": 10},
            ],
        },
        {
            "indicator": VELOCITY,
            "code": "MODEL_RECENT_APPLICATIONS",
            "bins": [{"high": 2.0, "points": 40}, {"low": 2.0, "points": 5}],
        },
        {
            "indicator": RANK,
            "code": "RENT_RISK_HIGH",
            "bins": [{"values": ["low"], "points": 30}, {"values": ["medium"], "points": 12}, {"values": ["high"], "points": 0}],
        },
    ],
}


@cache
def applicants(count: int = 1_500, seed: int = 7) -> tuple[tuple[Indicators, ...], tuple[bool, ...]]:
    """People and whether they paid."""
    draw = np.random.default_rng(seed)
    people: list[Indicators] = []
    bads = []
    for _ in range(count):
        score = int(draw.integers(450, 850))
        person: Indicators = {
            SCORE: None if draw.random() < 0.1 else score,
            VELOCITY: int(draw.poisson(1.2)),
            RANK: ("low", "medium", "high")[int(draw.choice(3, p=[0.6, 0.3, 0.1]))],
            NEW: None if draw.random() < 0.2 else bool(draw.random() < 0.1),
        }
        log_odds = -1.5 - (score - 650) / 80 + 0.5 * (person[VELOCITY] or 0) + (1.5 if person[RANK] == "high" else 0)  # type: ignore[operator]
        people.append(person)
        bads.append(bool(draw.random() < 1 / (1 + np.exp(-log_odds))))
    return tuple(people), tuple(bads)


@cache
def lightgbm_text(trees: int = 40) -> str:
    people, bads = applicants()
    rows = np.array([[coded(feature, person[feature.name]) for feature in FEATURES] for person in people])
    parameters = {
        "objective": "binary",
        "num_leaves": 4,
        "learning_rate": 0.1,
        "seed": 1,
        "num_threads": 1,
        "verbosity": -1,
        "monotone_constraints": [feature.monotone for feature in FEATURES],
    }
    data = lightgbm.Dataset(rows, np.array(bads, dtype=float), feature_name=[feature.name for feature in FEATURES])
    return str(lightgbm.train(parameters, data, trees).model_to_string())


def scorecard_text() -> str:
    return msgspec.json.encode(SCORECARD).decode()


def card(kind: str = "lightgbm", key: str = "shop_risk", **changes: object) -> Card:
    """The card of one of the two; ``changes`` replace what it says."""
    people, bads = applicants()
    features = FEATURES if kind == "lightgbm" else FEATURES[:3]
    said: dict[str, Any] = {
        "key": key,
        "kind": kind,
        "features": features,
        "training": Training(source="made up", outcome="made up, within 365 days", rows=len(bads), bad_rows=sum(bads)),
        "metrics": {"auc": 0.8},
        "baseline": Baseline(
            score=_parts(Counter(500 + place % 200 for place in range(1_000))),
            features={feature.name: _parts(Counter(person[feature.name] for person in people)) for feature in features},
        ),
        "calibration": Calibration(0.0, 1.0) if kind == "lightgbm" else Calibration(13.4, -0.0347),
    }
    return Card(**{**said, **changes})


def _parts(counted: Counter[Any]) -> Parts:
    base = credit.freeze(counted)
    assert base is not None
    return Parts(dict(base.shares), base.edges)
