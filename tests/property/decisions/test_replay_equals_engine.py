"""The replay gives what the engine gives: on random graphs and inputs, on columns, and on arithmetic near ties."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.decisions.replay_graphs import Maker, canonical, compare

from xinzu.middle.decisions.rules.replay.batch import Replay, Report, replay, rows_of
from xinzu.middle.decisions.rules.replay.columns import Strings

SECONDS_MAX = 14


def test_random_graphs_give_equal_answers() -> None:
    """Hundreds of graphs of tables, expressions, switches, loops and merges, as many as the time allows."""
    report, reasons, graphs = Report(), Counter[str](), 0
    until = time.monotonic() + SECONDS_MAX
    while time.monotonic() < until and graphs < 600:
        differences = compare(700_000 + graphs, 16, report, reasons)
        assert not differences, differences[0]
        graphs += 1
    assert graphs >= 20
    assert report.vectorised_rows > report.rows / 3  # a replay that leaves everything to the engine would be equal too


def _expression_graph(*expressions: tuple[str, str]) -> dict[str, Any]:
    steps = [{"id": f"e{n}", "key": key, "value": value} for n, (key, value) in enumerate(expressions)]
    return {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode", "content": {}},
            {"id": "e", "name": "e", "type": "expressionNode", "content": {"expressions": steps}},
        ],
        "edges": [{"id": "g", "sourceId": "in", "targetId": "e", "type": "edge"}],
    }


CENTS = Replay(
    _expression_graph(
        ("sum", "a + b"),
        ("product", "a * b"),
        ("ratio", "a / b"),
        ("rounded", "round(a / b, 2)"),
        ("below", "a / b < 0.5"),
        ("same", "a / b * b == a"),
        ("rest", "a % b"),
        ("rate", "a * 0.0365 / 365 >= b * 0.0001"),
        ("equal", "a + 0.1 == b + 0.2"),
    )
)
amounts = st.one_of(st.integers(-10_000_000, 10_000_000), st.integers(-99_999, 99_999).map(lambda cents: cents / 100))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(amounts, amounts), min_size=1, max_size=40))
def test_decimal_arithmetic_is_the_engines(pairs: list[tuple[float, float]]) -> None:
    """Sums, products, quotients, rounding and comparing, thresholds met exactly included."""
    rows = [{"a": a, "b": b} for a, b in pairs]
    found = CENTS.rows(rows, Strings(), Report()).answers()
    for row, mine, theirs in zip(rows, found, CENTS.engine.answers(rows), strict=True):
        assert canonical(mine.as_json()) == canonical(theirs.as_json()), row


def test_most_decimal_rows_need_no_engine() -> None:
    """Only what is near a tie is asked."""
    draw = np.random.default_rng(5)
    columns = {"a": draw.integers(1, 10**7, 2_000), "b": draw.integers(1, 10**4, 2_000) / 100}
    replayed = replay(CENTS, columns)
    wanted = CENTS.engine.answers(rows_of(columns, range(2_000)))
    assert [canonical(each.as_json()) for each in replayed.answers()] == [canonical(each.as_json()) for each in wanted]


@pytest.mark.parametrize("chunk_rows", [1, 7, 1_000])
def test_columns_rows_and_chunks_agree(chunk_rows: int) -> None:
    """The same inputs as columns, in chunks of any size, give the same answers in the same order."""
    columns = {
        "n1": np.arange(50),
        "m1": np.where(np.arange(50) % 7 == 0, np.nan, np.arange(50) / 4),
        "s1": np.array(["low", "high", "a", "b", "租赁"])[np.arange(50) % 5],
        "f1": np.arange(50) % 3 == 0,
        "o1.x": np.arange(50) * 2,
    }
    rows = rows_of(columns, range(50))
    checked = 0
    for seed in range(9_000, 9_025):
        ready = Replay(Maker(seed).graph())
        wanted = [canonical(answer.as_json()) for answer in ready.engine.answers(rows)]
        assert [canonical(answer.as_json()) for answer in replay(ready, columns, chunk_rows=chunk_rows).answers()] == wanted, seed
        checked += 1
    assert checked == 25
