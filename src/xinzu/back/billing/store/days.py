"""SQL of closed business days."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_OID, UUID, uuid5

from xinzu.kernel.errors import unreachable
from xinzu.kernel.time import BusinessDate, Instant
from xinzu.platform.uow import ReadSession, UnitOfWork


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """What a close of business did."""

    business_date: BusinessDate
    fell_due_count: int
    became_overdue_count: int
    delinquent_count: int
    late_fee_fen: int
    income_fen: int
    reclassified_count: int = 0
    provision_fen: int = 0


def id_of_day(tenant_id: int, on: BusinessDate) -> UUID:
    """The subject of a business day: the same for the same tenant and date."""
    return uuid5(NAMESPACE_OID, f"xinzu.billing.day/{tenant_id}/{on.isoformat()}")


async def take_turn(uow: UnitOfWork) -> None:
    """One close of a tenant at a time: a second one waits here until the first has committed."""
    await uow.execute("SELECT pg_advisory_xact_lock(hashtextextended('billing.close_day', :tenant))")


async def last_closed(read: ReadSession) -> BusinessDate | None:
    """The newest closed business date, or None before the first close."""
    found: BusinessDate | None = await read.scalar("SELECT max(business_date) FROM billing_day WHERE tenant_id = :tenant")
    return found


async def tenant_opened_at(read: ReadSession) -> Instant:
    """When the tenant began: its first business date is the one of this instant."""
    at: Instant | None = await read.scalar("SELECT created_at FROM platform_tenant WHERE id = :tenant")
    return at or unreachable("a session's tenant exists")


async def find(read: ReadSession, on: BusinessDate) -> ClosedDay | None:
    row = await read.row(
        "SELECT business_date, fell_due_count, became_overdue_count, delinquent_count, late_fee_fen, income_fen,"
        " reclassified_count, provision_fen FROM billing_day WHERE tenant_id = :tenant AND business_date = :on",
        on=on,
    )
    return None if row is None else ClosedDay(*tuple(row))


async def insert(uow: UnitOfWork, day: ClosedDay) -> None:
    await uow.execute(
        "INSERT INTO billing_day (tenant_id, business_date, fell_due_count, became_overdue_count, delinquent_count, late_fee_fen,"
        " income_fen, reclassified_count, provision_fen, closed_at)"
        " VALUES (:tenant, :on, :fell_due, :became_overdue, :delinquent, :late_fee, :income, :reclassified, :provision, :now)",
        on=day.business_date,
        fell_due=day.fell_due_count,
        became_overdue=day.became_overdue_count,
        delinquent=day.delinquent_count,
        late_fee=day.late_fee_fen,
        income=day.income_fen,
        reclassified=day.reclassified_count,
        provision=day.provision_fen,
        now=uow.now,
    )
