"""What messages say and when debtors may be addressed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from xinzu.kernel.states import IllegalMove
from xinzu.kernel.time import SHANGHAI
from xinzu.records.parties.model import MESSAGE_MOVES, MessageState, MessageTemplate
from xinzu.records.parties.rules.send_hours import may_address_debtor, next_opening
from xinzu.records.parties.rules.templates import TEMPLATES, is_collection, render


def test_every_template_has_a_text() -> None:
    assert set(TEMPLATES) == set(MessageTemplate)


def test_amounts_are_shown_in_yuan_and_levels_in_words() -> None:
    text = render(
        MessageTemplate.RESTRICTION_NOTICE,
        {"agreement_no": "XZ-1", "amount_fen": 39_905, "not_before": "2026-03-05 09:00", "level": "lock"},
        "珊瑚数码",
    )
    assert "399.05元" in text
    assert "锁定（紧急呼叫不受影响）" in text


@pytest.mark.parametrize("variables", [{}, {"code": "1"}, {"code": "1", "valid_minutes": 5, "name": "张三"}])
def test_a_template_takes_exactly_its_variables(variables: dict[str, str | int]) -> None:
    with pytest.raises(ValueError, match="one_time_code takes"):
        render(MessageTemplate.ONE_TIME_CODE, variables, "珊瑚数码")


def test_only_messages_to_debtors_keep_the_hours() -> None:
    held = {template for template in MessageTemplate if is_collection(template)}
    assert held == {
        MessageTemplate.PAYMENT_REMINDER,
        MessageTemplate.PAYMENT_DEMAND,
        MessageTemplate.RESTRICTION_NOTICE,
        MessageTemplate.RESTRICTION_APPLIED,
    }


@pytest.mark.parametrize(
    ("hour", "minute", "allowed"), [(7, 59, False), (8, 0, True), (20, 59, True), (21, 0, False), (0, 0, False)]
)
def test_debtors_are_addressed_between_eight_and_nine_in_the_evening(hour: int, minute: int, allowed: bool) -> None:
    assert may_address_debtor(datetime(2026, 3, 2, hour, minute, tzinfo=SHANGHAI), SHANGHAI) is allowed


def test_a_message_of_the_small_hours_waits_for_the_same_morning() -> None:
    at = datetime(2026, 3, 2, 3, 0, tzinfo=SHANGHAI)
    assert next_opening(at, SHANGHAI) == datetime(2026, 3, 2, 0, 0, tzinfo=UTC)


def test_a_delivered_message_does_not_fail_afterwards() -> None:
    with pytest.raises(IllegalMove):
        MESSAGE_MOVES.move(MessageState.DELIVERED, MessageState.FAILED)
