"""The figures of a replay are sums of cells; what is no verdict is a referral; nothing is inferred from nobody."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xinzu.middle.decisions.model import DecisionOutcome
from xinzu.middle.decisions.rules import backtest
from xinzu.middle.decisions.rules.backtest import Cases, Cells, tallied
from xinzu.middle.decisions.rules.backtest_figures import approvals, inferred, money_of, swaps_of
from xinzu.middle.decisions.rules.evaluation import CompiledStrategy
from xinzu.middle.decisions.rules.nodes import handler
from xinzu.middle.decisions.rules.replay.batch import Replay
from xinzu.middle.decisions.store.backtest import _column, packed, unpacked

APPROVE, DECLINE, REFER = DecisionOutcome
GOOD, BAD, UNKNOWN = range(3)


def cells(*rows: tuple[DecisionOutcome, DecisionOutcome, int, int, int, int]) -> Cells:
    """(before, after, what became of it, accepted at random, count, fen)."""
    made = Cells()
    for before, after, known, is_random, count, fen in rows:
        at = backtest.OUTCOMES.index(before), backtest.OUTCOMES.index(after), known, is_random
        made.counts[at] += count
        made.fen[at] += fen
    return made


def test_three_bad_rates_when_the_random_arm_is_mature() -> None:
    found = inferred(
        cells(
            (APPROVE, APPROVE, GOOD, 0, 90, 0),
            (APPROVE, APPROVE, BAD, 0, 10, 0),
            (DECLINE, APPROVE, GOOD, 1, 15, 0),
            (DECLINE, APPROVE, BAD, 1, 5, 0),
            (DECLINE, APPROVE, UNKNOWN, 0, 80, 0),
            (REFER, APPROVE, UNKNOWN, 0, 1_000, 0),  # nothing is inferred for referrals
        )
    )
    assert found is not None
    assert (found.random_arm.share, found.random_arm.count, found.declined_before) == (0.25, 20, 80)
    assert found.observed == 0.125
    assert found.by_random_arm == 0.175  # (15 known bad + a quarter of 80) of 200
    assert found.pessimistic > 0.2


def test_without_mature_random_cases_the_declined_stay_unknown() -> None:
    assert inferred(cells((APPROVE, APPROVE, GOOD, 0, 90, 0), (DECLINE, APPROVE, UNKNOWN, 1, 20, 0))) is None


def test_money_names_the_unknown_share() -> None:
    found = money_of(
        cells(
            (APPROVE, DECLINE, BAD, 0, 2, 1_000),
            (APPROVE, REFER, GOOD, 0, 1, 500),
            (APPROVE, DECLINE, UNKNOWN, 0, 1, 500),
            (DECLINE, APPROVE, UNKNOWN, 0, 4, 4_000),
            (APPROVE, APPROVE, GOOD, 0, 9, 9_000),
        )
    )
    assert (found.approved_before_fen, found.approved_after_fen) == (11_000, 13_000)
    assert (found.avoided_bad_fen, found.avoided_good_fen, found.avoided_unknown_fen, found.avoided_unknown_share) == (
        1_000,
        500,
        500,
        0.25,
    )
    assert (found.added_unknown_fen, found.added_unknown_share) == (4_000, 1.0)


outcomes = st.sampled_from(list(DecisionOutcome))


@given(
    st.lists(
        st.tuples(outcomes, outcomes, st.integers(0, 2), st.integers(0, 1), st.integers(1, 9), st.integers(0, 10**12)),
        max_size=30,
    )
)
def test_the_swap_set_adds_up_to_every_other_figure(
    rows: list[tuple[DecisionOutcome, DecisionOutcome, int, int, int, int]],
) -> None:
    made = cells(*rows)
    swaps = swaps_of(made)
    before, after, money = approvals(made, after=False), approvals(made, after=True), money_of(made)
    assert sum(each.count for each in swaps) == before.decisions == after.decisions
    assert sum(each.count for each in swaps if each.before is APPROVE) == before.approved
    assert sum(each.count for each in swaps if each.after is APPROVE) == after.approved
    avoided = money.avoided_bad_fen + money.avoided_good_fen + money.avoided_unknown_fen
    added = money.added_bad_fen + money.added_good_fen + money.added_unknown_fen
    assert before.approved_fen - avoided + added == after.approved_fen


VERDICTS: list[dict[str, Any]] = [
    {"outcome": "'approve'", "reason_codes": "[]"},
    {"outcome": "'approve'", "reason_codes": "['A']"},
    {"outcome": "'decline'", "reason_codes": "n > 3 ? ['A', 'B', 'A'] : ['B']"},
    {"outcome": "'decline'", "reason_codes": "[]"},
    {"outcome": "n > 3 ? 'approve' : 'perhaps'", "reason_codes": "[]"},
    {"outcome": "'decline'", "reason_codes": "'AB'"},
    {"outcome": "'decline'", "reason_codes": "[n, 'A']"},
    {"outcome": "'decline'"},
    {"reason_codes": "['A']"},
    {"outcome": "'approve'", "reason_codes": "[]", "deposit_waiver_pct": "n * 30"},
    {"outcome": "'approve'", "reason_codes": "[]", "price_band": "n > 3 ? 'gold' : ''"},
    {"outcome": "'refer'", "reason_codes": "['A']", "review_level": "n > 3 ? 'senior' : 'nobody'"},
    {"outcome": "n / (n - 4) > 0 ? 'refer' : 'decline'", "reason_codes": "['A']"},
]


@pytest.mark.parametrize("said", VERDICTS)
def test_a_verdict_is_read_as_a_decision_reads_it(said: dict[str, str]) -> None:
    """Equal to the engine's decision row by row, whatever the graph gives: what is no verdict is a referral."""
    steps = [{"id": key, "key": key, "value": value} for key, value in said.items()]
    graph = {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode", "content": {}},
            {"id": "e", "name": "e", "type": "expressionNode", "content": {"expressions": steps}},
        ],
        "edges": [{"id": "g", "sourceId": "in", "targetId": "e", "type": "edge"}],
    }
    numbers = list(range(8))
    none = np.zeros(8, dtype=np.uint8)
    made = Cases(bytes(16 * 8), none, none, none, none.astype(np.int64), none.astype(np.int64), {"n": np.array(numbers)}, {})
    engine = CompiledStrategy(graph)
    tally = tallied(made, (Replay(graph, handler(None)), engine.reads), {}, (), range(8), 0)
    for number, mine in zip(numbers, tally.sampled, strict=True):
        verdict = engine.decide({"n": number})
        assert (mine.outcome, mine.reason_codes) == (verdict.outcome, frozenset(verdict.reason_codes)), number


cell_texts = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-300, 70_000)), min_size=1),
    st.lists(st.one_of(st.none(), st.integers(-(2**62), 2**62)), min_size=1),
    st.lists(st.one_of(st.none(), st.floats(-10, 10).map(lambda each: round(each, 3))), min_size=1),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=1),
    st.lists(st.one_of(st.none(), st.text(max_size=4)), min_size=1),
    st.lists(st.one_of(st.booleans(), st.integers(), st.text(max_size=2), st.none()), min_size=1),
)


@given(st.sampled_from(["age_years", "list_match", "channel", "own_approve_ratio"]), cell_texts)
def test_a_column_laid_down_is_the_column_that_was_read(name: str, values: list[Any]) -> None:
    """Whatever a snapshot holds under a name, of the declared kind or not."""
    import msgspec

    text = ",".join(msgspec.json.encode(each).decode() for each in values)
    read, laid = _column(name, text)[0], unpacked(name, packed(name, text))[0]
    assert _plain(laid) == _plain(read) == values


def _plain(column: Any) -> list[Any]:
    cells = column.tolist() if isinstance(column, np.ndarray) else list(column)
    return [None if each != each else each for each in cells]
