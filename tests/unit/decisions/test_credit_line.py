"""The credit line: every fen has a reason, what runs is kept, arrears freeze."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from xinzu.middle.decisions.model import Contribution, CreditLine
from xinzu.middle.decisions.rules.credit_line import BASE_FEN, LINE_MAX_FEN, Behaviour, available_fen, credit_line
from xinzu.middle.decisions.schemas.credit_line import WORDS

counts = st.integers(0, 400)
amounts = st.integers(0, 30_000_000)
shares = st.none() | st.integers(0, 10_000)
behaviours = st.builds(
    Behaviour,
    exposure_fen=amounts,
    is_in_arrears=st.booleans(),
    settled_count=counts,
    paid_180d_fen=amounts,
    on_time_bp=shares,
    late_count_365d=counts,
    days_past_due_max=counts,
    failed_90d_bp=shares,
    write_off_count=st.integers(0, 3),
    restricted_count_365d=counts,
    damage_365d_fen=amounts,
    silent_days=st.none() | counts,
)
GOOD = Behaviour(settled_count=3, paid_180d_fen=600_000, on_time_bp=10_000, silent_days=0)


def parts(line: CreditLine) -> dict[str, int]:
    return {part.code: part.fen for part in line.contributions}


def test_a_stranger_begins_with_the_base() -> None:
    assert parts(credit_line(Behaviour(), None)) == {"base": BASE_FEN}


def test_paying_using_and_reporting_raise_the_line_each_with_its_reason() -> None:
    line = credit_line(GOOD, None)
    assert parts(line) == {"base": 500_000, "settled": 300_000, "paid": 300_000, "on_time": 200_000, "telemetry": 50_000}
    assert line.line_fen == 1_350_000


def test_late_payments_locks_damage_and_silence_lower_it() -> None:
    line = credit_line(
        replace(GOOD, late_count_365d=2, days_past_due_max=40, restricted_count_365d=1, damage_365d_fen=30_000, silent_days=20),
        None,
    )
    assert line.line_fen == 1_300_000 - 100_000 - 300_000 - 100_000 - 30_000 - 200_000
    assert {"late", "long_arrears", "restricted", "damage", "telemetry"} <= parts(line).keys()


def test_who_was_written_off_or_ninety_days_late_gets_nothing_more() -> None:
    assert credit_line(replace(GOOD, write_off_count=1), None).line_fen == 0
    assert credit_line(replace(GOOD, days_past_due_max=91), None).line_fen == 0


def test_a_line_is_never_lowered_on_a_running_agreement() -> None:
    """What was agreed stays: the line ends at what the party holds, and nothing is left for another agreement."""
    line = credit_line(replace(GOOD, write_off_count=1, exposure_fen=900_000), credit_line(GOOD, None))
    assert (line.line_fen, available_fen(line, 900_000)) == (900_000, 0)
    assert parts(line)["running"] == 900_000


def test_in_arrears_a_line_is_frozen_and_nothing_is_left_of_it() -> None:
    before = credit_line(GOOD, None)
    frozen = credit_line(replace(GOOD, is_in_arrears=True, settled_count=0, late_count_365d=5), before)
    assert (frozen.line_fen, frozen.is_frozen, frozen.contributions) == (before.line_fen, True, before.contributions)
    assert available_fen(frozen, 0) == 0
    assert credit_line(GOOD, frozen) == before


@given(behaviours, st.none() | st.integers(0, LINE_MAX_FEN))
def test_contributions_add_up_and_the_bounds_hold(seen: Behaviour, earlier_fen: int | None) -> None:
    before = None if earlier_fen is None else CreditLine(earlier_fen, False, [Contribution("base", earlier_fen, None)])
    line = credit_line(seen, before)
    assert sum(part.fen for part in line.contributions) == line.line_fen
    assert all(part.fen for part in line.contributions) or before is not None
    assert line.is_frozen == seen.is_in_arrears
    assert {part.code for part in line.contributions} <= WORDS.keys()
    assert 0 <= available_fen(line, seen.exposure_fen) <= line.line_fen
    if not seen.is_in_arrears:
        assert seen.exposure_fen <= line.line_fen <= max(LINE_MAX_FEN, seen.exposure_fen)


@given(behaviours)
def test_paying_more_never_lowers_a_line_and_being_late_never_raises_it(seen: Behaviour) -> None:
    line_fen = credit_line(seen, None).line_fen
    assert credit_line(replace(seen, paid_180d_fen=seen.paid_180d_fen + 100_000), None).line_fen >= line_fen
    assert credit_line(replace(seen, late_count_365d=seen.late_count_365d + 1), None).line_fen <= line_fen
