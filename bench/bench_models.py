"""One score at a time: points, probability and reasons, of boosted trees of the size training makes and of a scorecard."""

from __future__ import annotations

import resource
import time
from itertools import pairwise
from statistics import median

import lightgbm
import msgspec
import numpy as np

from xinzu.middle.decisions.cards import Calibration, Feature
from xinzu.middle.decisions.model import Indicators
from xinzu.middle.decisions.rules.models.coding import coded
from xinzu.middle.decisions.rules.models.lightgbm_text import read_forest
from xinzu.middle.decisions.rules.models.scoring import ReadyModel, ready_model

FEATURES = tuple(Feature(f"indicator_{n}", "number", f"FAMILY_{n % 6}", monotone=1 if n < 4 else 0) for n in range(16))
TREES, LEAVES, ROWS, SCORES, ROUNDS = 300, 4, 4_000, 4_000, 5


def people(count: int) -> list[Indicators]:
    """Applicants of a seed, a twentieth of their values missing."""
    draw = np.random.default_rng(20260101)
    values = np.round(draw.normal(size=(count, len(FEATURES))), 3)
    missing = draw.random(values.shape) < 0.05
    return [
        {feature.name: None if gone else float(value) for feature, value, gone in zip(FEATURES, row, holes, strict=True)}
        for row, holes in zip(values, missing, strict=True)
    ]


def boosted_text() -> str:
    """Trees as many and as small as ``xinzu model train`` makes them."""
    rows = np.array([[coded(feature, person[feature.name]) for feature in FEATURES] for person in people(ROWS)])
    bads = np.nan_to_num(rows[:, :6]).sum(axis=1) + np.random.default_rng(1).normal(size=ROWS) > 1
    parameters = {
        "objective": "binary",
        "num_leaves": LEAVES,
        "learning_rate": 0.03,
        "num_threads": 1,
        "verbosity": -1,
        "monotone_constraints": [feature.monotone for feature in FEATURES],
    }
    data = lightgbm.Dataset(rows, bads.astype(float), feature_name=[feature.name for feature in FEATURES])
    return str(lightgbm.train(parameters, data, TREES).model_to_string())


def scorecard_text() -> str:
    """A characteristic of seven bins for each feature."""
    edges = (-1.5, -0.75, 0.0, 0.75, 1.5)
    bins = [
        {"high": edges[0], "points": 60},
        *({"low": low, "high": high, "points": 50 - 10 * place} for place, (low, high) in enumerate(pairwise(edges))),
        {"low": edges[-1], "points": 0},
        {"is_missing": True, "points": 15},
    ]
    characteristics = [{"indicator": feature.name, "code": feature.code, "bins": bins} for feature in FEATURES]
    return msgspec.json.encode({"output": "model", "base_points": 200, "characteristics": characteristics}).decode()


def measure(name: str, model: ReadyModel, applicants: list[Indicators]) -> None:
    """Wall time of each call, and CPU over all: on a busy machine only the latter tells of the code."""
    cpu_us, p50_us, p99_us = [], [], []
    for _ in range(ROUNDS):
        taken = []
        began = time.process_time_ns()
        for person in applicants:
            at = time.perf_counter_ns()
            model(person)
            taken.append(time.perf_counter_ns() - at)
        cpu_us.append((time.process_time_ns() - began) / len(applicants) / 1_000)
        taken.sort()
        p50_us.append(taken[len(taken) // 2] / 1_000)
        p99_us.append(taken[len(taken) * 99 // 100] / 1_000)
    print(
        f"{name:26s} cpu {median(cpu_us):7.1f} µs a score   p50 {median(p50_us):7.1f} µs   "
        f"p99 {median(p99_us):7.1f} µs (worst of {ROUNDS} rounds {max(p99_us):.1f})"
    )


async def main() -> None:
    applicants = people(SCORES)
    text, table = boosted_text(), scorecard_text()
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    read_forest(text)
    print(f"checking a text of {len(text):,} bytes: {(time.process_time() - began) * 1_000:.1f} ms of CPU")
    began = time.process_time()
    boosted = ready_model("lightgbm", text, FEATURES, Calibration(0.0, 1.0))
    print(
        f"making it ready: {(time.process_time() - began) * 1_000:.1f} ms of CPU; peak memory {before_kb / 1024:.0f} MB with LightGBM"
    )
    measure(f"lightgbm {TREES} x {LEAVES} leaves", boosted, applicants)
    measure(
        f"scorecard {len(FEATURES)} x 7 bins", ready_model("scorecard", table, FEATURES, Calibration(13.0, -0.03)), applicants
    )
