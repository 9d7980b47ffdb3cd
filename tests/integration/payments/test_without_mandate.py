"""A finance lease or a loan is paid by transfer: payments hears of it and has nothing to do, quietly."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from tests.integration.payments.shop import ACTOR, TERMS, Shop, due

from xinzu.back.billing.events import AccountSettled, DayClosed, InstalmentFellDue, SettlementDetermined
from xinzu.back.payments.commands.payments import pay_actively
from xinzu.back.payments.errors import MandateUnknown
from xinzu.back.payments.schemas import ActivePayment
from xinzu.kernel.events import Event
from xinzu.kernel.ids import new_id
from xinzu.kernel.terms import AgreementTerms, Family, Financing
from xinzu.middle.agreements.events import AgreementCancelled

LOAN = replace(TERMS, financing=Financing(family=Family.LOAN, principal_fen=360_000, annual_rate_pct="9.6"))
LEASE = replace(TERMS, financing=Financing(family=Family.FINANCE_LEASE, principal_fen=360_000, annual_rate_pct="7.2"))


def fell_due(shop: Shop, agreement_id: UUID) -> InstalmentFellDue:
    return InstalmentFellDue(
        subject_id=agreement_id, party_id=new_id(), instalment_id=new_id(), number=1, due_on=due(shop), outstanding_fen=31_600
    )


async def rows_of(shop: Shop) -> dict[str, int]:
    """What payments keeps of this tenant."""
    tables = ("payments_mandate", "payments_payment", "payments_refund", "payments_release")
    async with shop.runtime.reading(shop.tenant_id) as read:
        return {table: int(await read.scalar(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant")) for table in tables}


@pytest.mark.parametrize("terms", [LOAN, LEASE], ids=["loan", "lease"])
async def test_whatever_happens_to_a_financing_payments_keeps_nothing_and_says_nothing(
    shop: Shop, terms: AgreementTerms, capsys: pytest.CaptureFixture[str]
) -> None:
    agreement_id = await shop.sign(terms)
    told: list[Event] = [
        fell_due(shop, agreement_id),
        SettlementDetermined(subject_id=agreement_id, party_id=new_id(), balance_due_fen=5_000, credit_balance_fen=0),
        SettlementDetermined(subject_id=agreement_id, party_id=new_id(), balance_due_fen=0, credit_balance_fen=5_000),
        DayClosed(subject_id=new_id(), business_date=due(shop)),
        AccountSettled(subject_id=agreement_id, party_id=new_id(), settled_on=due(shop)),
        AgreementCancelled(subject_id=agreement_id, application_id=new_id(), party_id=new_id(), reason="application_cancelled"),
    ]
    await shop.happen(*told)
    assert set((await rows_of(shop)).values()) == {0}
    assert "warning" not in capsys.readouterr().out
    assert [await shop.jobs(f"payments.execute_{what}") for what in ("payments", "refunds", "releases")] == [0, 0, 0]


async def test_a_rental_beside_it_is_collected_as_ever(shop: Shop) -> None:
    loan_id, rental_id = await shop.sign(LOAN), await shop.rent()
    await shop.happen(fell_due(shop, loan_id), fell_due(shop, rental_id))
    assert (await shop.payments(rental_id))[0].amount_fen == 31_600
    assert await shop.payments(loan_id) == []


async def test_nothing_can_be_paid_actively_without_a_mandate(shop: Shop) -> None:
    agreement_id = await shop.sign(LOAN)
    async with shop.runtime.unit(shop.tenant_id, ACTOR) as uow:
        (outcome,) = await pay_actively(uow, [ActivePayment(agreement_id=agreement_id, amount_fen=100)])
    assert isinstance(outcome, MandateUnknown)
