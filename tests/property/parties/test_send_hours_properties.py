"""Whatever the instant, the next opening lies in the hours, not in the past, and less than a day away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from xinzu.kernel.time import SHANGHAI
from xinzu.records.parties.rules.send_hours import may_address_debtor, next_opening

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@given(INSTANTS)
def test_the_next_opening_is_in_the_hours_and_soon(at: datetime) -> None:
    opening = next_opening(at, SHANGHAI)
    assert may_address_debtor(opening, SHANGHAI)
    assert timedelta() <= opening - at <= timedelta(hours=11)
    assert may_address_debtor(at, SHANGHAI) == (opening == at)
