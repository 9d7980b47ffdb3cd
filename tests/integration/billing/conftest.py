"""One rental, told to billing by the events of its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest

from xinzu.back.assets.events import AssetInspected
from xinzu.back.billing import api
from xinzu.back.billing.handlers import (
    on_agreements_cancelled,
    on_agreements_commenced,
    on_agreements_signed,
    on_assets_inspected,
    on_payments_succeeded,
    on_refunds_succeeded,
)
from xinzu.back.payments.events import PaymentSucceeded, RefundSucceeded
from xinzu.kernel.events import Event
from xinzu.kernel.ids import new_id
from xinzu.kernel.terms import AgreementTerms
from xinzu.kernel.time import FixedClock
from xinzu.middle.agreements.events import AgreementCancelled, AgreementCommenced, AgreementSigned
from xinzu.platform.actor import Actor
from xinzu.platform.runtime import Runtime
from xinzu.records.ledger import api as ledger

RENT_FEN = 29_900
E = TypeVar("E", bound=Event)


def only(cls: type[E], said: Sequence[Event]) -> list[E]:
    """The events of one kind."""
    return [fact for fact in said if isinstance(fact, cls)]


def terms(**changes: object) -> AgreementTerms:
    given: dict[str, Any] = {
        "product_id": UUID(int=1),
        "plan_id": UUID(int=2),
        "product_name": "珊瑚手机 12",
        "period_months": 1,
        "period_count": 12,
        "rent_fen": RENT_FEN,
        "deposit_fen": 300_000,
        "device_value_fen": 500_000,
        "buyout_fen": None,
        "early_return_fee_fen": 30_000,
        "late_fee_daily_rate": "0.0003",
        "grace_days": 3,
        "restriction_clause_version": "2026-01",
        "annual_cost_pct": None,
    } | changes
    return AgreementTerms(**given)


@dataclass
class Rental:
    """A lessee and the merchant's back office, moved through time."""

    runtime: Runtime
    tenant_id: int
    clock: FixedClock
    actor: Actor
    agreement_id: UUID = field(default_factory=new_id)
    party_id: UUID = field(default_factory=new_id)
    payment_ids: list[UUID] = field(default_factory=list)
    terms: AgreementTerms = field(default_factory=terms)

    @property
    def today(self) -> date:
        return (self.clock.now() + timedelta(hours=8)).date()

    async def _hear(self, handler: Callable[..., Any], *facts: Event) -> list[Event]:
        async with self.runtime.unit(self.tenant_id, self.actor) as uow:
            await handler(uow, list(facts))
            said = list(uow.events)
        await self.check_books()
        return said

    async def sign(self) -> list[Event]:
        return await self._hear(
            on_agreements_signed,
            AgreementSigned(
                subject_id=self.agreement_id,
                application_id=new_id(),
                party_id=self.party_id,
                agreement_no="XZ-1",
                document_sha256="0" * 64,
                terms=self.terms,
                signed_at=self.clock.now(),
            ),
        )

    async def commence(self) -> list[Event]:
        return await self._hear(
            on_agreements_commenced,
            AgreementCommenced(
                subject_id=self.agreement_id,
                application_id=new_id(),
                party_id=self.party_id,
                asset_id=new_id(),
                commencement_on=self.today,
                terms=self.terms,
            ),
        )

    async def call_off(self) -> list[Event]:
        return await self._hear(
            on_agreements_cancelled,
            AgreementCancelled(
                subject_id=self.agreement_id, application_id=new_id(), party_id=self.party_id, reason="customer_withdrew"
            ),
        )

    async def pay(
        self, amount_fen: int, purpose: str = "instalment", *, payment_id: UUID | None = None, twice: bool = False
    ) -> list[Event]:
        self.payment_ids.append(payment_id or new_id())
        paid = PaymentSucceeded(
            subject_id=self.agreement_id,
            payment_id=self.payment_ids[-1],
            party_id=self.party_id,
            purpose=purpose,
            amount_fen=amount_fen,
            provider="alipay",
            provider_trade_no="2026030222001",
            paid_at=self.clock.now(),
        )
        return await self._hear(on_payments_succeeded, *([paid, paid] if twice else [paid]))

    async def refund(self, amount_fen: int, refund_id: UUID | None = None) -> list[Event]:
        return await self._hear(
            on_refunds_succeeded,
            RefundSucceeded(
                subject_id=self.agreement_id, refund_id=refund_id or new_id(), party_id=self.party_id, amount_fen=amount_fen
            ),
        )

    async def give_back(self, damage_fen: int = 0, returned_on: date | None = None) -> list[Event]:
        return await self._hear(
            on_assets_inspected,
            AssetInspected(
                subject_id=self.agreement_id,
                asset_id=new_id(),
                inspection_id=new_id(),
                returned_on=returned_on or self.today,
                damage_fen=damage_fen,
            ),
        )

    async def begin(self) -> None:
        """Signed, first rent collected, handed over."""
        await self.sign()
        await self.pay(self.terms.first_payment_fen, "first_rent")
        await self.commence()

    async def pass_days(self, count: int) -> list[Event]:
        """Live through days; each is closed the morning after. Returns what the closes said."""
        said: list[Event] = []
        for _ in range(count):
            self.clock.advance(timedelta(days=1))
            async with self.runtime.unit(self.tenant_id, self.actor) as uow:
                for business_date in await api.days_to_close(uow):
                    await api.close_day(uow, business_date)
                said += uow.events
        await self.check_books()
        return said

    async def account(self) -> Any:
        async with self.runtime.reading(self.tenant_id) as read:
            return await api.account_of(read, self.agreement_id)

    async def instalments(self) -> list[Any]:
        async with self.runtime.reading(self.tenant_id) as read:
            return list(await api.instalments_of(read, self.agreement_id))

    async def balances(self, on: date = date(2099, 1, 1)) -> dict[str, int]:
        """Balances of the ledger by account code, those that are not zero; on a date, or whatever is booked."""
        async with self.runtime.reading(self.tenant_id) as read:
            # Rents that fall due tomorrow are booked on tomorrow's date by the close of today.
            balance = await ledger.trial_balance(read, on)
        return {line.account.code: line.balance_fen for line in balance.lines if line.balance_fen}

    async def check_books(self) -> None:
        """Whatever happened: debits equal credits, and the sub-ledger is what the ledger says."""
        async with self.runtime.reading(self.tenant_id) as read:
            trial = await ledger.trial_balance(read, date(2099, 1, 1))
            accounts = await api.reconcile(read)
            row = await read.row(
                "SELECT coalesce((SELECT sum(credit_balance_fen) FROM billing_account WHERE tenant_id = :tenant), 0) AS credit_fen,"
                " coalesce((SELECT sum(amount_fen) FROM billing_allocation WHERE tenant_id = :tenant), 0) AS allocated_fen,"
                " coalesce((SELECT sum(allocated_fen) FROM billing_receipt WHERE tenant_id = :tenant), 0) AS receipts_allocated_fen,"
                " coalesce((SELECT sum(paid_fen) FROM billing_instalment WHERE tenant_id = :tenant), 0)"
                "     + coalesce((SELECT sum(paid_fen) FROM billing_charge WHERE tenant_id = :tenant), 0) AS paid_fen"
            )
        assert row is not None
        assert trial.debit_fen == trial.credit_fen
        assert [each for each in accounts if each.difference_fen] == []
        balances = {line.account.code: line.balance_fen for line in trial.lines}
        assert row.credit_fen == balances.get("2203", 0)
        assert row.allocated_fen == row.receipts_allocated_fen == row.paid_fen


@pytest.fixture
def rental(runtime: Runtime, tenant_id: int, clock: FixedClock, actor: Actor) -> Rental:
    return Rental(runtime, tenant_id, clock, actor)


@pytest.fixture
def another_rental(rental: Rental) -> Callable[..., Rental]:
    """More rentals of the same tenant."""

    def make(**changes: object) -> Rental:
        return Rental(rental.runtime, rental.tenant_id, rental.clock, rental.actor, terms=terms(**changes))

    return make
