"""A signed agreement with its mandate, and what Alipay would say about it, without Alipay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec

from xinzu.back.payments.commands.mandates import take_in_freezes
from xinzu.back.payments.commands.payments import settle_payments
from xinzu.back.payments.model import AttemptState, Mandate, Payment, Verdict
from xinzu.back.payments.providers.base import AuthorisationStatus, Operation, OperationStatus, OperationType
from xinzu.back.payments.store import mandates, payments
from xinzu.kernel.events import Event
from xinzu.kernel.ids import new_id
from xinzu.kernel.terms import AgreementTerms
from xinzu.middle.agreements.events import AgreementSigned
from xinzu.platform.actor import system_actor
from xinzu.platform.events.codec import decode, encode
from xinzu.platform.events.subscribers import subscribers_of
from xinzu.platform.runtime import Runtime

TERMS = AgreementTerms(
    product_id=UUID(int=1),
    plan_id=UUID(int=2),
    product_name="手机 X1 256G",
    period_months=1,
    period_count=12,
    rent_fen=30_000,
    deposit_fen=200_000,
    device_value_fen=500_000,
    buyout_fen=None,
    early_return_fee_fen=30_000,
    late_fee_daily_rate="0.0005",
    grace_days=1,
    restriction_clause_version="2026-01",
    annual_cost_pct=None,
)
AUTHORISED_FEN = 560_000
ACTOR = system_actor("test")


@dataclass
class Shop:
    """One tenant of the test and short words for what happens in it."""

    runtime: Runtime
    tenant_id: int

    async def happen(self, *events: Event) -> None:
        """Payments hears facts, those of one kind together; the neighbours are not asked in."""
        for kind, alike in groupby(events, lambda event: event.type):
            heard = [decode(kind, encode(event)) for event in alike]
            for subscriber in subscribers_of(kind):
                if subscriber.name.startswith("payments."):
                    async with self.runtime.unit(self.tenant_id, ACTOR) as uow:
                        await subscriber.handler(uow, heard)

    async def sign(self, terms: AgreementTerms = TERMS) -> UUID:
        """An agreement signed by its customer; the mandate of a rental is intended."""
        agreement_id = new_id()
        await self.happen(
            AgreementSigned(
                subject_id=agreement_id,
                application_id=new_id(),
                party_id=new_id(),
                agreement_no=f"XZ{agreement_id.hex[-8:]}",
                document_sha256="0" * 64,
                terms=terms,
                signed_at=self.runtime.clock.now(),
            )
        )
        return agreement_id

    async def confirm(self, agreement_id: UUID, **changes: Any) -> dict[str, str | None]:
        """The customer confirms the order in the wallet."""
        mandate = await self.mandate(agreement_id)
        said: dict[str, Any] = {
            "auth_no": f"auth{mandate.id.hex}",
            "order_no": mandate.out_order_no,
            "operation_id": "op1",
            "request_no": mandate.out_request_no,
            "type": OperationType.FREEZE,
            "status": OperationStatus.SUCCEEDED,
            "amount_fen": mandate.authorised_fen,
            "credit_fen": mandate.authorised_fen,
            "fund_fen": 0,
            "occurred_at": self.runtime.clock.now(),
            "payer_id": "2088000011112222",
            "authorisation": AuthorisationStatus.AUTHORISED,
        } | changes
        async with self.runtime.unit(self.tenant_id, ACTOR) as uow:
            return await take_in_freezes(uow, [Operation(**said)])

    async def rent(self) -> UUID:
        """An agreement whose mandate stands and whose first rent is collected."""
        agreement_id = await self.sign()
        await self.confirm(agreement_id)
        await self.settle(agreement_id, "succeeded")
        return agreement_id

    async def settle(self, agreement_id: UUID, state: str, reason: str | None = None) -> None:
        """Alipay answers the newest attempt."""
        newest = (await self.payments(agreement_id))[0]
        async with self.runtime.unit(self.tenant_id, ACTOR) as uow:
            await uow.execute(
                "UPDATE payments_payment SET state = 'calling' WHERE tenant_id = :tenant AND id = :id AND state = 'intended'",
                id=newest.id,
            )
            await settle_payments(
                uow,
                [
                    Verdict(
                        id=newest.id,
                        state=AttemptState(state),
                        channel_no=f"t{newest.id.hex}" if state == "succeeded" else None,
                        occurred_at=uow.now if state == "succeeded" else None,
                        reason=reason,
                    )
                ],
            )

    async def mandate(self, agreement_id: UUID) -> Mandate:
        async with self.runtime.reading(self.tenant_id) as read:
            found = await mandates.mandate_of(read, agreement_id)
        assert found is not None
        return found

    async def payments(self, agreement_id: UUID) -> list[Payment]:
        """Newest first."""
        async with self.runtime.reading(self.tenant_id) as read:
            return await payments.payments_of(read, agreement_id, None, 100)

    async def events(self, agreement_id: UUID, *types: type[Event]) -> Sequence[Any]:
        """What was stated about an agreement, in order."""
        names = [cls.type for cls in types]
        async with self.runtime.reading(self.tenant_id) as read:
            rows = await read.rows(
                "SELECT type, data FROM platform_event WHERE tenant_id = :tenant AND subject_id = :subject"
                " AND type = ANY(cast(:types AS text[])) ORDER BY id",
                subject=agreement_id,
                types=names,
            )
        return [decode(row.type, msgspec.json.encode(row.data)) for row in rows]

    async def jobs(self, name: str) -> int:
        """How many jobs of this name wait in the queue for this tenant."""
        async with self.runtime.reading(self.tenant_id) as read:
            return int(
                await read.scalar(
                    "SELECT count(*) FROM pgqueuer WHERE entrypoint = :name"
                    " AND convert_from(payload, 'UTF8')::jsonb ->> 'tenant_id' = cast(:number AS text)",
                    name=name,
                    number=str(self.tenant_id),
                )
            )

    async def leaves(self, agreement_id: UUID) -> list[str]:
        """The kinds of evidence about an agreement, in order."""
        async with self.runtime.reading(self.tenant_id) as read:
            rows = await read.rows(
                "SELECT kind FROM evidence_leaf WHERE tenant_id = :tenant AND subject_id = :subject ORDER BY position",
                subject=agreement_id,
            )
        return [row.kind for row in rows if row.kind.startswith("payments.")]


def due(shop: Shop) -> date:
    """Today in the shop."""
    return shop.runtime.clock.now().date()
