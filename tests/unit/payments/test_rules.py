"""The pure rules of payments: states, limits, retries, refunds, active payments."""

from __future__ import annotations

import doctest
from datetime import date
from uuid import UUID

import pytest

from xinzu.back.payments.model import ATTEMPTS_MAX, MANDATE, PAYMENT, AttemptState, Demand, MandateState, Purpose
from xinzu.back.payments.rules import active_payments, limits, refunds, retries
from xinzu.kernel.states import IllegalMove

FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize("module", [active_payments, limits, refunds, retries], ids=lambda module: module.__name__.split(".")[-1])
def test_every_example_in_the_rules_holds(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_an_ended_mandate_never_ends_again() -> None:
    with pytest.raises(IllegalMove):
        MANDATE.move(MandateState.FINISHED, MandateState.CLOSED)


def test_a_collected_payment_is_collected_for_good() -> None:
    assert not any(PAYMENT.allows(AttemptState.SUCCEEDED, state) for state in AttemptState)


def test_the_providers_late_word_that_it_happened_is_believed() -> None:
    assert PAYMENT.allows(AttemptState.FAILED, AttemptState.SUCCEEDED)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_three_attempts_are_made_and_arrears_are_never_repeated(purpose: Purpose) -> None:
    again = [attempt for attempt in range(1, 6) if retries.is_tried_again(purpose, attempt)]
    assert again == ([] if purpose is Purpose.ARREARS else list(range(1, ATTEMPTS_MAX)))


def test_active_payments_cover_the_oldest_instalment_first() -> None:
    demands = [Demand(SECOND, date(2026, 4, 1), 300, 0), Demand(FIRST, date(2026, 3, 1), 300, 0)]
    assert retries.shortfalls(demands, 300) == {FIRST: 0, SECOND: 300}


def test_an_open_first_rent_is_what_a_customer_pays_before_anything_else() -> None:
    newest = {Purpose.FIRST_RENT: AttemptState.UNKNOWN, Purpose.SETTLEMENT: AttemptState.FAILED}
    assert active_payments.purpose_of_active_payment(newest) is Purpose.FIRST_RENT


def test_a_failed_settlement_is_paid_as_a_settlement() -> None:
    newest = {Purpose.FIRST_RENT: AttemptState.SUCCEEDED, Purpose.SETTLEMENT: AttemptState.FAILED}
    assert active_payments.purpose_of_active_payment(newest) is Purpose.SETTLEMENT
