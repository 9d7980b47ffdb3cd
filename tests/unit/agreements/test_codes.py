"""How long and how often a one-time code may be used and sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from xinzu.kernel.ids import new_id
from xinzu.middle.agreements.model import AGREEMENT_MOVES, AgreementState, Code
from xinzu.middle.agreements.rules.codes import CodeState, code_state, wait_before_next

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def code(*, age: timedelta = timedelta(), tries: int = 0, sent_recently: int = 1) -> Code:
    sent_at = NOW - age
    return Code(new_id(), new_id(), b"", sent_at, sent_at + timedelta(minutes=5), tries, sent_recently)


def test_a_code_holds_five_minutes_and_five_tries() -> None:
    assert code_state(code(age=timedelta(minutes=4, seconds=59)), NOW) is CodeState.USABLE
    assert code_state(code(age=timedelta(minutes=5)), NOW) is CodeState.EXPIRED
    assert code_state(code(tries=4), NOW) is CodeState.USABLE
    assert code_state(code(tries=5), NOW) is CodeState.EXHAUSTED


def test_codes_are_sent_once_a_minute_and_five_times_an_hour() -> None:
    assert wait_before_next(None, NOW) == timedelta()
    assert wait_before_next(code(age=timedelta(seconds=20)), NOW) == timedelta(seconds=40)
    assert wait_before_next(code(age=timedelta(seconds=60)), NOW) == timedelta()
    assert wait_before_next(code(age=timedelta(minutes=10), sent_recently=5), NOW) == timedelta(minutes=50)


def test_a_signed_agreement_can_only_be_carried_out_and_ended() -> None:
    assert not AGREEMENT_MOVES.allows(AgreementState.SIGNED, AgreementState.CANCELLED)
    assert AGREEMENT_MOVES.sources(AgreementState.ENDED) == [AgreementState.ACTIVE]
    assert AGREEMENT_MOVES.sources(AgreementState.CANCELLED) == [AgreementState.DRAFTED]
