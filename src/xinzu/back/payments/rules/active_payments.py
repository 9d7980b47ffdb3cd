"""What a customer's own payment is for: what stands in the way of the rental comes first."""

from __future__ import annotations

from collections.abc import Mapping

from xinzu.back.payments.model import OPEN_STATES, AttemptState, Purpose


def purpose_of_active_payment(newest: Mapping[Purpose, AttemptState]) -> Purpose:
    """The purpose, by the state of the newest attempt of each.

    A first rent or a settlement that was tried and not collected is what the customer pays now; else it is arrears.

    >>> purpose_of_active_payment({Purpose.FIRST_RENT: AttemptState.FAILED}).value
    'first_rent'
    >>> purpose_of_active_payment({Purpose.FIRST_RENT: AttemptState.SUCCEEDED}).value
    'arrears'
    """
    for purpose in (Purpose.FIRST_RENT, Purpose.SETTLEMENT):
        state = newest.get(purpose)
        if state is AttemptState.FAILED or state in OPEN_STATES:
            return purpose
    return Purpose.ARREARS
