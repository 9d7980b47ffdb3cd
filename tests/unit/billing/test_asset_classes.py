"""Risk classes and provisions, by article of the measures of 2023 and the guidelines of 2002."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from xinzu.back.billing.model import AssetClass
from xinzu.back.billing.rules.asset_class import (
    LEASING_PRACTICE,
    MEASURES_2023,
    SEVERITY,
    AssetFacts,
    accrues_interest,
    classify_asset,
    is_cured_on,
    is_observed_on,
    matrix,
)
from xinzu.back.billing.rules.provision import (
    FLOOR_BP,
    GUIDELINES_2002,
    Bucket,
    Exposure,
    provision_matrix,
    provisions_of,
    required_fen,
)
from xinzu.kernel.errors import Invalid

NORMAL, ATTENTION, SUBSTANDARD, DOUBTFUL, LOSS = AssetClass


def class_of(**facts: object) -> AssetClass:
    return classify_asset(AssetFacts(**({"days_past_due": 0} | facts))).asset_class  # type: ignore[arg-type]


def test_arts_10_to_13_days_past_due_are_hard_lines() -> None:
    lines = {
        0: NORMAL,
        7: NORMAL,
        8: ATTENTION,
        90: ATTENTION,
        91: SUBSTANDARD,
        270: SUBSTANDARD,
        271: DOUBTFUL,
        360: DOUBTFUL,
        361: LOSS,
    }
    assert {days: class_of(days_past_due=days) for days in lines} == lines


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"is_refinanced": True}, ATTENTION),
        ({"is_misused": True}, ATTENTION),
        ({"is_restructured": True, "restructured_count": 1}, ATTENTION),
        ({"is_restructured": True, "restructured_count": 2}, SUBSTANDARD),
        ({"impaired_loss_pct": 0}, SUBSTANDARD),
        ({"impaired_loss_pct": 50}, DOUBTFUL),
        ({"impaired_loss_pct": 90}, LOSS),
        ({"evades_debt": True}, DOUBTFUL),
        ({"is_bankrupt": True}, LOSS),
    ],
)
def test_a_fact_asks_for_a_class_whatever_the_days(facts: dict[str, object], expected: AssetClass) -> None:
    assert class_of(**facts) is expected
    assert class_of(days_past_due=361, **facts) is LOSS


def test_the_class_tells_every_ground() -> None:
    found = classify_asset(AssetFacts(days_past_due=91, is_misused=True))
    assert [(ground.code, ground.at_least) for ground in found.grounds] == [
        ("days_past_due", SUBSTANDARD),
        ("misused", ATTENTION),
    ]


def test_art_16_a_payment_alone_does_not_make_a_non_performing_asset_better() -> None:
    assert class_of(stands=LOSS) is SUBSTANDARD
    assert class_of(stands=LOSS, is_cured=True) is NORMAL
    cleared = date(2026, 1, 31)
    assert [is_cured_on(cleared, 2, on) for on in (date(2026, 7, 30), date(2026, 7, 31))] == [False, True]
    assert not is_cured_on(cleared, 1, date(2027, 7, 31))


def test_art_20_observation_runs_for_a_year_and_two_periods() -> None:
    assert is_observed_on(date(2026, 3, 2), 12, date(2027, 3, 1))
    assert not is_observed_on(date(2026, 3, 2), 12, date(2027, 3, 2))
    assert is_observed_on(date(2026, 3, 2), 1, date(2028, 3, 2))


def test_a_tenant_may_be_stricter_and_never_laxer() -> None:
    assert matrix("own", 0, 60, 120, 180).of_days(61) is SUBSTANDARD
    assert matrix(LEASING_PRACTICE.name, *LEASING_PRACTICE.lines) == LEASING_PRACTICE
    assert all(SEVERITY[LEASING_PRACTICE.of_days(days)] >= SEVERITY[MEASURES_2023.of_days(days)] for days in range(500))
    for lines, field in (
        ((8, 90, 270, 360), "/attention_days"),
        ((7, 91, 270, 360), "/substandard_days"),
        ((7, 90, 90, 360), "/doubtful_days"),
        ((7, 90, 270, 361), "/loss_days"),
        ((-1, 90, 270, 360), "/attention_days"),
    ):
        with pytest.raises(Invalid) as refused:
            matrix("own", *lines)
        assert refused.value.errors[0].pointer == field


def test_interest_is_accrued_up_to_90_days_past_due() -> None:
    assert [days for days in range(200) if accrues_interest(days)] == list(range(91))


def test_the_guidelines_rates_are_the_floor() -> None:
    provided = {each: required_fen(1_000_000, GUIDELINES_2002.rate_bp(each, 0)) for each in AssetClass}
    assert provided == {NORMAL: 10_000, ATTENTION: 20_000, SUBSTANDARD: 250_000, DOUBTFUL: 500_000, LOSS: 1_000_000}


def test_what_stands_is_topped_up_or_released() -> None:
    one, two, three = (UUID(int=n) for n in (1, 2, 3))
    provided = provisions_of(
        [Exposure(one, 1_000_000, DOUBTFUL, 280, 250_000), Exposure(two, 0, NORMAL, 0, 5_000), Exposure(three, 100, NORMAL, 0, 1)]
    )
    assert [(each.required_fen, each.change_fen) for each in provided] == [(500_000, 250_000), (0, -5_000), (1, 0)]


def test_a_tenant_s_matrix_by_age_counts_where_it_asks_for_more() -> None:
    own = provision_matrix("own", FLOOR_BP, [Bucket(0, 150), Bucket(8, 500), Bucket(60, 4_000), Bucket(180, 10_000)])
    assert [own.rate_bp(ATTENTION, days) for days in (1, 8, 61, 180)] == [200, 500, 4_000, 10_000]


@pytest.mark.parametrize(
    ("rates", "buckets", "pointer"),
    [
        ({**FLOOR_BP, NORMAL: 99}, [], "/by_class/normal"),
        ({NORMAL: 100}, [], "/by_class/attention"),
        ({**FLOOR_BP, LOSS: 10_001}, [], "/by_class/loss"),
        ({**FLOOR_BP, NORMAL: 300}, [], "/by_class"),
        (FLOOR_BP, [Bucket(1, 100)], "/buckets"),
        (FLOOR_BP, [Bucket(0, 300), Bucket(90, 200)], "/buckets"),
        (FLOOR_BP, [Bucket(0, 200), Bucket(92, 10_000)], "/buckets"),  # at 91 days the floor is 25 %
    ],
)
def test_a_matrix_below_the_floor_is_refused(rates: dict[AssetClass, int], buckets: list[Bucket], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        provision_matrix("own", rates, buckets)
    assert refused.value.errors[0].pointer == pointer


def test_what_is_owed_is_not_below_zero() -> None:
    with pytest.raises(ValueError, match="not below zero"):
        required_fen(-1, 100)
