"""SQL of tranches paid out after the commencement."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import ReadSession, UnitOfWork


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded of a tranche."""

    disbursed_on: BusinessDate
    reference: str


async def insert(
    uow: UnitOfWork, disbursement_id: UUID, agreement_id: UUID, number: int, reference: str, disbursed_on: BusinessDate
) -> None:
    await uow.execute(
        "INSERT INTO billing_disbursement (tenant_id, id, agreement_id, number, reference, disbursed_on, made_by, recorded_at)"
        " VALUES (:tenant, :id, :agreement, :number, :reference, :on, :actor, :now)",
        id=disbursement_id,
        agreement=agreement_id,
        number=number,
        reference=reference,
        on=disbursed_on,
        actor=str(uow.actor),
        now=uow.now,
    )


async def of_agreement(read: ReadSession, agreement_id: UUID) -> dict[int, Recorded]:
    """What was recorded, by the tranche's number."""
    rows = await read.rows(
        "SELECT number, disbursed_on, reference FROM billing_disbursement WHERE tenant_id = :tenant AND agreement_id = :agreement",
        agreement=agreement_id,
    )
    return {row.number: Recorded(row.disbursed_on, row.reference) for row in rows}
