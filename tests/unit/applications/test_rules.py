"""What an application needs, and what may no longer change."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from xinzu.front.applications.http import wait_seconds
from xinzu.front.applications.model import Application, ApplicationState, Decision
from xinzu.front.applications.rules.address import may_change_address
from xinzu.front.applications.rules.consents import missing_purposes
from xinzu.front.applications.rules.review import may_request_human_review
from xinzu.kernel.ids import new_id
from xinzu.kernel.terms import AgreementTerms

TERMS = AgreementTerms(
    product_id=new_id(),
    plan_id=new_id(),
    product_name="手机",
    period_months=1,
    period_count=12,
    rent_fen=39_900,
    deposit_fen=300_000,
    device_value_fen=599_900,
    buyout_fen=None,
    early_return_fee_fen=0,
    late_fee_daily_rate="0.0003",
    grace_days=0,
    restriction_clause_version="v1",
    annual_cost_pct="14.1",
)


def application(state: ApplicationState, decided_by: str | None) -> Application:
    return Application(
        id=new_id(),
        party_id=new_id(),
        channel="alipay",
        state=state,
        terms=TERMS,
        delivery_address="****",
        submitted_at=datetime(2026, 3, 2, tzinfo=UTC),
        updated_at=datetime(2026, 3, 2, tzinfo=UTC),
        decision=None if decided_by is None else Decision(id=new_id(), decided_by=decided_by, reason_codes=[]),
    )


def test_each_mandatory_consent_is_asked_for_by_itself() -> None:
    assert missing_purposes([]) == ["application", "identity_check", "decision"]
    assert missing_purposes(["application", "identity_check", "decision"]) == []


@pytest.mark.parametrize("state", [state for state in ApplicationState if state is not ApplicationState.SUBMITTED])
def test_the_address_stays_once_somebody_looked_at_the_application(state: ApplicationState) -> None:
    assert not may_change_address(state)


def test_only_a_machines_decline_goes_to_a_person() -> None:
    assert may_request_human_review(application(ApplicationState.DECLINED, "strategy"))
    assert not may_request_human_review(application(ApplicationState.DECLINED, "reviewer"))
    assert not may_request_human_review(application(ApplicationState.APPROVED, "strategy"))
    assert not may_request_human_review(application(ApplicationState.SUBMITTED, None))


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("wait=5", 5),
        ("respond-async, wait=3", 3),
        ("WAIT=99", 10),
        ("wait=-1", 0),
        ("await=5", 0),
        ("wait=x", 0),
    ],
)
def test_the_wait_is_what_prefer_says_and_ten_seconds_at_most(prefer: str | None, seconds: int) -> None:
    assert wait_seconds(prefer) == seconds
