"""What holds for the shipped strategy whatever the indicators are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xinzu.kernel.terms import Family
from xinzu.middle.decisions.model import Indicators
from xinzu.middle.decisions.rules.credit_indicators import CREDIT_KINDS
from xinzu.middle.decisions.rules.evaluation import CompiledStrategy
from xinzu.middle.decisions.rules.indicators import DECLARED, NULLABLE, RENT_RISK_RANKS, SIGNAL_TYPES
from xinzu.middle.decisions.rules.strategy import trial_cases
from xinzu.middle.decisions.strategies import PHONE_RENTAL, reason_catalogue, shipped_graph

STRATEGY = CompiledStrategy(shipped_graph(PHONE_RENTAL))
SEVERITY = {"approve": 0, "refer": 1, "decline": 2}
FEN = st.integers(0, 10_000_000)
COUNT = st.integers(0, 50)


def _values(name: str) -> st.SearchStrategy[str | int | bool | None]:
    if name in CREDIT_KINDS:
        return st.none()  # the shipped strategy reads none of them
    if name in NULLABLE:
        if name == "age_years":
            return st.none() | st.integers(0, 120)
        if name not in SIGNAL_TYPES:
            return st.none() | (FEN if name.endswith("_fen") else COUNT)
        kind = SIGNAL_TYPES[name]
        some: st.SearchStrategy[str | int | bool] = (
            st.booleans() if kind is bool else st.integers(350, 950) if kind is int else st.sampled_from(RENT_RISK_RANKS)
        )
        return st.none() | some
    if name == "family":
        return st.sampled_from(Family)
    if name in ("as_of", "channel"):
        return st.just("2026-03-02")
    return FEN if name.endswith("_fen") else COUNT


CASES: st.SearchStrategy[Indicators] = st.fixed_dictionaries({name: _values(name) for name in sorted(DECLARED)})


@given(CASES)
def test_there_is_always_a_verdict_with_known_reasons_and_the_same_one_again(case: Indicators) -> None:
    first, again = STRATEGY.evaluate(case), STRATEGY.evaluate(case)
    assert (first.outcome, first.reason_codes) == (again.outcome, again.reason_codes)
    assert set(first.reason_codes) <= reason_catalogue().keys()
    assert bool(first.reason_codes) == (first.outcome != "approve")
    assert (first.trace is None) == (first.outcome == "approve")


@given(CASES, st.integers(350, 950), st.integers(350, 950))
def test_a_lower_score_never_does_better(case: Indicators, one: int, other: int) -> None:
    low = STRATEGY.evaluate({**case, "credit_score": min(one, other)})
    high = STRATEGY.evaluate({**case, "credit_score": max(one, other)})
    assert SEVERITY[low.outcome] >= SEVERITY[high.outcome]


@given(CASES, st.sampled_from(["active_orders", "overdue_orders", "applications_24h", "declines_90d"]), COUNT, COUNT)
def test_more_exposure_or_velocity_never_does_better(case: Indicators, name: str, one: int, other: int) -> None:
    # With two orders running a missing or low score asks for a person; a third declines: worse again, never better.
    less = STRATEGY.evaluate({**case, name: min(one, other)})
    more = STRATEGY.evaluate({**case, name: max(one, other)})
    assert SEVERITY[more.outcome] >= SEVERITY[less.outcome]


def test_the_trial_cases_use_exactly_the_declared_indicators() -> None:
    for case in trial_cases().values():
        assert case.keys() == DECLARED
