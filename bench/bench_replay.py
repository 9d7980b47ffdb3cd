"""Decisions replayed per second on a graph of 56 rules, beside the engine row by row in the same run, and where the two disagree.

The graph has the shape of a credit strategy: 38 inputs, five tables (one collects), four expression nodes, a switch, an output. The inputs are
made from a seed: skewed amounts, decimals, missing values, thresholds met exactly.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinzu.middle.decisions.rules.replay.batch import Replay, replay, rows_of
from xinzu.middle.decisions.rules.replay.engine import Engine

ROWS = 262_144
ROUNDS = 5
ENGINE_ROWS = 2_000
SAMPLE_ROWS = 4_000
AMOUNTS = tuple(f"amount_{n}_fen" for n in range(8))
COUNTS = tuple(f"count_{n}" for n in range(10))
RATES = tuple(f"rate_{n}" for n in range(6))
WORDS = tuple(f"band_{n}" for n in range(6))
FLAGS = tuple(f"flag_{n}" for n in range(8))


def _column(draw: np.random.Generator, name: str, rows: int) -> NDArray[Any]:
    kind = name.split("_")[0]
    if kind == "amount":
        return np.rint(draw.lognormal(12.5, 1.0, rows) / 100).astype(np.int64) * 100
    if kind == "count":
        counts = draw.poisson(2.5, rows).astype(np.float64)
        counts[draw.random(rows) < 0.06] = np.nan  # missing
        return counts
    if kind == "rate":
        rates = np.round(draw.beta(2, 5, rows), 4)
        rates[draw.random(rows) < 0.03] = np.nan
        return rates
    if kind == "band":
        return np.array(["low", "middle", "high", "none"])[draw.choice(4, rows, p=[0.5, 0.3, 0.15, 0.05])]
    return draw.random(rows) < 0.2


def inputs(rows: int) -> dict[str, NDArray[Any]]:
    """38 columns of a seed."""
    draw = np.random.default_rng(20260101)
    return {name: _column(draw, name, rows) for name in (*AMOUNTS, *COUNTS, *RATES, *WORDS, *FLAGS)}


def _table(
    name: str, columns: Sequence[str], outputs: Sequence[str], rows: Sequence[Sequence[str]], **content: object
) -> dict[str, Any]:
    made = {
        "hitPolicy": "first",
        "inputs": [{"id": f"i{n}", "name": field, "field": field} for n, field in enumerate(columns)],
        "outputs": [{"id": f"o{n}", "name": field, "field": field} for n, field in enumerate(outputs)],
        "rules": [
            {"_id": f"{name}{n}", **{f"i{c}": cell for c, cell in enumerate(row[: len(columns)])}}
            | {f"o{c}": cell for c, cell in enumerate(row[len(columns) :])}
            for n, row in enumerate(rows)
        ],
        "passThrough": True,
        **content,
    }
    return {"id": name, "name": name, "type": "decisionTableNode", "content": made}


def _expressions(name: str, **expressions: str) -> dict[str, Any]:
    steps = [{"id": key, "key": key.replace("__", "."), "value": value} for key, value in expressions.items()]
    return {"id": name, "name": name, "type": "expressionNode", "content": {"expressions": steps, "passThrough": True}}


def graph() -> dict[str, Any]:
    """56 rules in five tables, four expression nodes and a switch."""
    collected = [
        *(
            ("", f"> {4 + n % 3}", "", f"'C{n:02}'", f"{5 + n}")
            if n % 2
            else (f"'{('low', 'high')[n % 4 // 2]}'", "", f"> 0.{3 + n % 5}", f"'C{n:02}'", f"{3 + n}")
            for n in range(16)
        )
    ]
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode", "content": {"schema": ""}},
        _expressions(
            "derive",
            debt_fen="amount_0_fen + amount_1_fen",
            income_fen="amount_2_fen * 3 + 100",
            ratio="round((amount_0_fen + amount_1_fen) / (amount_2_fen * 3 + 100), 4)",
            calls="(count_0 ?? 0) + (count_1 ?? 0) * 2",
            is_new="(count_2 ?? 0) == 0 and not flag_0",
        ),
        _table(
            "gate",
            ("flag_1", "count_3 ?? 0", "band_0"),
            ("gate.outcome", "gate.code"),
            [
                ("true", "> 4", "", "'decline'", "'G1'"),
                ("", ">= 8", "", "'decline'", "'G2'"),
                ("true", "", "'high'", "'refer'", "'G3'"),
                ("", "[5..7]", "'high', 'none'", "'refer'", "'G4'"),
                ("", "", "", "'pass'", "''"),
            ],
        ),
        _table(
            "points",
            ("ratio", "rate_0", "band_1"),
            ("points.base",),
            [
                *(
                    (f"[{n / 10}..{(n + 1) / 10})", "", f"'{band}'", f"{600 - 25 * n + bonus}")
                    for n in range(6)
                    for band, bonus in (("low", 40), ("middle", 10))
                ),
                ("", "null", "", "410"),
                ("", "> 0.75", "", "380.5"),
                ("", "", "", "450"),
            ],
        ),
        _table("hits", ("band_2", "count_4", "rate_1"), ("code", "weight"), collected, hitPolicy="collect", outputPath="hits"),
        _expressions(
            "score",
            worst="sum(map(hits, #.weight))",
            reasons="map(filter(hits, #.weight > 10), #.code)",
            score="points.base - sum(map(hits, #.weight)) * 1.5 + (is_new ? -12.5 : 0)",
            heavy="some(hits, #.weight > 16)",
        ),
        _table(
            "limit",
            ("score", "amount_3_fen", "calls"),
            ("limit.pct", "limit.tier"),
            [
                (">= 600", "> 200000", "< 5", "0.9", "'A'"),
                (">= 560", "", "< 8", "0.7", "'B'"),
                ("[500..560)", "> 100000", "", "0.55", "'C'"),
                ("[500..560)", "", "", "0.45", "'D'"),
                ("[430..500)", "> 300000", "< 4", "0.35", "'E'"),
                ("[430..500)", "", "", "0.25", "'F'"),
                (">= 300", "", "", "0.1", "'G'"),
                ("", "", "", "0", "'H'"),
            ],
        ),
        _expressions(
            "offer",
            offer_fen="floor(amount_4_fen * limit.pct / 100) * 100",
            deposit_fen="amount_4_fen - floor(amount_4_fen * limit.pct / 100) * 100",
        ),
        {
            "id": "way",
            "name": "way",
            "type": "switchNode",
            "content": {
                "hitPolicy": "first",
                "statements": [
                    {"id": "no", "condition": "gate.outcome == 'decline' or score < 320"},
                    {"id": "person", "condition": "gate.outcome == 'refer' or heavy or score < 430"},
                    {"id": "yes", "condition": ""},
                ],
            },
        },
        _table(
            "verdict",
            ("score", "flag_2", "band_3"),
            ("outcome", "code"),
            [
                ("< 200", "", "", "'decline'", "'V1'"),
                ("< 320", "true", "", "'decline'", "'V2'"),
                ("< 320", "", "", "'decline'", "'V3'"),
                ("", "true", "'high'", "'decline'", "'V4'"),
                ("", "", "'none'", "'decline'", "'V5'"),
                ("", "", "", "'decline'", "gate.code"),
                *(("", "", f"'unknown{n}'", "'decline'", "'V9'") for n in range(6)),
            ],
        ),
        _expressions("approve", outcome="'approve'", code="''"),
        _expressions("refer", outcome="'refer'", code="gate.code == '' ? 'SCORE' : gate.code"),
        {"id": "out", "name": "out", "type": "outputNode", "content": {"schema": ""}},
    ]
    links: list[tuple[str, str, str | None]] = [
        ("in", "derive", None),
        ("derive", "gate", None),
        ("gate", "points", None),
        ("points", "hits", None),
        ("hits", "score", None),
        ("score", "limit", None),
        ("limit", "offer", None),
        ("offer", "way", None),
        ("way", "verdict", "no"),
        ("way", "refer", "person"),
        ("way", "approve", "yes"),
        ("verdict", "out", None),
        ("refer", "out", None),
        ("approve", "out", None),
    ]
    edges = [
        {"id": f"e{n}", "sourceId": source, "targetId": target, "type": "edge"} | ({"sourceHandle": handle} if handle else {})
        for n, (source, target, handle) in enumerate(links)
    ]
    return {"nodes": nodes, "edges": edges}


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Median wall and CPU seconds of rounds."""
    walls, cpus = [], []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return median(walls), median(cpus)


def _show(name: str, rows: int, seconds: tuple[float, float]) -> float:
    print(f"{name:<58} {rows / seconds[0]:>11,.0f} /s wall {rows / seconds[1]:>11,.0f} per CPU-s")
    return rows / seconds[1]


async def main() -> None:
    """Print medians, the ratio, how the rows were decided and every disagreement of a random sample."""
    made, columns = graph(), inputs(ROWS)
    rules = sum(len(node["content"].get("rules", ())) for node in made["nodes"])
    ready = Replay(made)
    print(f"{rules} rules, {len(columns)} inputs, {ROWS:,} rows; medians of {ROUNDS}; reading the columns is part of each round")
    outcome = _show("replayed, result columns held", ROWS, _timed(lambda: replay(ready, columns)))
    _show(
        "replayed, outcome, score and offer as values",
        ROWS,
        _timed(lambda: _read(ready, columns)),
    )
    few = {name: values[:50_000] for name, values in columns.items()}
    _show("replayed, each row as a JSON value", 50_000, _timed(lambda: list(replay(ready, few).answers())))
    rows = rows_of(columns, range(ENGINE_ROWS))
    engine = Engine(made)
    beside = _show("zen-engine, row by row", ENGINE_ROWS, _timed(lambda: engine.answers(rows)))
    print(f"ratio per CPU-second: {outcome / beside:,.0f}")

    replayed = replay(ready, columns)
    report = replayed.report
    print(f"{report.vectorised_rows:,} rows vectorised, {report.guard_rows:,} by guard, {report.fallback_rows:,} by fallback")
    chosen = np.sort(np.random.default_rng(7).choice(ROWS, SAMPLE_ROWS, replace=False)).tolist()
    mine = list(replay(ready, {name: values[chosen] for name, values in columns.items()}).answers())
    theirs = engine.answers(rows_of(columns, chosen))
    differing = [
        (a.as_json(), b.as_json()) for a, b in zip(mine, theirs, strict=True) if _text(a.as_json()) != _text(b.as_json())
    ]
    print(f"{len(differing)} disagreements in a random sample of {SAMPLE_ROWS:,} rows")
    for first, second in differing[:5]:
        print(f"  replay {_text(first)}\n  engine {_text(second)}")


def _read(ready: Replay, columns: dict[str, NDArray[Any]]) -> None:
    replayed = replay(ready, columns)
    for path in ("outcome", "score", "offer_fen"):
        replayed.values(path)


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
