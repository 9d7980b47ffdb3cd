"""SQL of what is owed: instalments and charges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row

from xinzu.back.billing.model import (
    INSTALMENT_MOVES,
    Charge,
    ChargeKind,
    Instalment,
    InstalmentState,
    ItemKind,
    OpenItem,
    Role,
    Segment,
)
from xinzu.back.billing.rules.effective_interest import EARNED_FEN_SQL
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate
from xinzu.platform.uow import ReadSession, UnitOfWork

_INSTALMENTS = """
SELECT id, agreement_id, version, number, role, from_on, to_on, due_on, amount_fen, paid_fen, cancelled_fen, earned_fen, state
FROM billing_instalment
WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[]))
ORDER BY agreement_id, due_on, version, number, role DESC
"""

_CHARGES = """
SELECT id, agreement_id, kind, instalment_id, due_on, amount_fen, paid_fen, cancelled_fen, fen_days, why FROM billing_charge
WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[])) ORDER BY agreement_id, id
"""

_INSERT_INSTALMENTS = """
INSERT INTO billing_instalment (tenant_id, id, agreement_id, version, number, role, from_on, to_on, due_on, amount_fen, paid_fen,
    cancelled_fen, earned_fen, state)
SELECT :tenant, i.id, i.agreement_id, i.version, i.number, i.role, i.from_on, i.to_on, i.due_on, i.amount_fen, 0, 0, 0, i.state
FROM unnest(cast(:ids AS uuid[]), cast(:agreements AS uuid[]), cast(:versions AS smallint[]), cast(:numbers AS smallint[]),
            cast(:roles AS text[]), cast(:froms AS date[]), cast(:tos AS date[]), cast(:dues AS date[]), cast(:amounts AS bigint[]),
            cast(:states AS text[]))
     AS i(id, agreement_id, version, number, role, from_on, to_on, due_on, amount_fen, state)
"""

_INSERT_CHARGES = """
INSERT INTO billing_charge (tenant_id, id, agreement_id, kind, due_on, amount_fen, paid_fen, cancelled_fen, fen_days, raised_on, why)
SELECT :tenant, c.id, c.agreement_id, c.kind, c.due_on, c.amount_fen, 0, 0, 0, :on, c.why
FROM unnest(cast(:ids AS uuid[]), cast(:agreements AS uuid[]), cast(:kinds AS text[]), cast(:dues AS date[]),
            cast(:amounts AS bigint[]), cast(:whys AS jsonb[]))
     AS c(id, agreement_id, kind, due_on, amount_fen, why)
"""

_OPEN_ITEMS = """
SELECT o.agreement_id, o.id, o.kind, o.due_on, o.open_fen, a.family FROM (
    SELECT i.agreement_id, i.id, i.role AS kind, i.due_on, i.amount_fen - i.paid_fen - i.cancelled_fen AS open_fen
    FROM billing_instalment i
    WHERE i.tenant_id = :tenant AND i.agreement_id = ANY(cast(:agreements AS uuid[])) AND i.state IN ('due', 'overdue')
    UNION ALL
    SELECT c.agreement_id, c.id, c.kind, c.due_on, c.amount_fen - c.paid_fen - c.cancelled_fen
    FROM billing_charge c
    WHERE c.tenant_id = :tenant AND c.agreement_id = ANY(cast(:agreements AS uuid[]))
      AND c.amount_fen > c.paid_fen + c.cancelled_fen
) AS o JOIN billing_account a ON a.tenant_id = :tenant AND a.agreement_id = o.agreement_id
"""

_PAY_INSTALMENTS = """
UPDATE billing_instalment i
SET paid_fen = i.paid_fen + p.amount_fen,
    state = CASE WHEN i.paid_fen + p.amount_fen + i.cancelled_fen = i.amount_fen THEN 'paid' ELSE i.state END
FROM unnest(cast(:ids AS uuid[]), cast(:amounts AS bigint[])) AS p(id, amount_fen)
WHERE i.tenant_id = :tenant AND i.id = p.id
"""

_PAY_CHARGES = """
UPDATE billing_charge c SET paid_fen = c.paid_fen + p.amount_fen
FROM unnest(cast(:ids AS uuid[]), cast(:amounts AS bigint[])) AS p(id, amount_fen)
WHERE c.tenant_id = :tenant AND c.id = p.id
"""

# Money that is taken off an item again makes a paid leg due; the next close sees whether it is overdue.
_UNPAY_INSTALMENTS = """
UPDATE billing_instalment i
SET paid_fen = i.paid_fen - p.amount_fen, state = CASE WHEN i.state = 'paid' THEN 'due' ELSE i.state END
FROM unnest(cast(:ids AS uuid[]), cast(:amounts AS bigint[])) AS p(id, amount_fen)
WHERE i.tenant_id = :tenant AND i.id = p.id
"""

# What is let off is open no more. A negative amount opens it again.
_LET_OFF_INSTALMENTS = """
UPDATE billing_instalment i
SET cancelled_fen = i.cancelled_fen + p.amount_fen,
    state = CASE WHEN i.paid_fen + i.cancelled_fen + p.amount_fen = i.amount_fen THEN 'paid'
                 WHEN i.state = 'paid' THEN 'due' ELSE i.state END
FROM unnest(cast(:ids AS uuid[]), cast(:amounts AS bigint[])) AS p(id, amount_fen)
WHERE i.tenant_id = :tenant AND i.id = p.id
"""

_LET_OFF_CHARGES = """
UPDATE billing_charge c SET cancelled_fen = c.cancelled_fen + p.amount_fen
FROM unnest(cast(:ids AS uuid[]), cast(:amounts AS bigint[])) AS p(id, amount_fen)
WHERE c.tenant_id = :tenant AND c.id = p.id
"""

_FALL_DUE = """
UPDATE billing_instalment i SET state = 'due'
FROM billing_account a
WHERE i.tenant_id = :tenant AND i.state = 'scheduled' AND i.due_on <= :on
  AND a.tenant_id = :tenant AND a.agreement_id = i.agreement_id AND a.state = 'open'
  AND (cast(:agreements AS uuid[]) IS NULL OR i.agreement_id = ANY(cast(:agreements AS uuid[])))
RETURNING i.id, i.agreement_id, i.number, i.role, i.due_on, i.amount_fen, a.party_id, a.family, a.credit_balance_fen
"""

# The rule is rules.delinquency.is_overdue (a test holds the two together).
_BECOME_OVERDUE = """
UPDATE billing_instalment i SET state = 'overdue'
FROM billing_account a
WHERE i.tenant_id = :tenant AND i.state = 'due' AND i.due_on < :on AND cast(:on AS date) - i.due_on > a.grace_days
  AND a.tenant_id = :tenant AND a.agreement_id = i.agreement_id
RETURNING i.id, i.agreement_id, i.number, i.role, i.due_on, i.amount_fen - i.paid_fen - i.cancelled_fen AS open_fen, a.party_id,
          a.family
"""

_OPEN_LATE_FEES = """
INSERT INTO billing_charge (tenant_id, id, agreement_id, kind, instalment_id, due_on, amount_fen, paid_fen, cancelled_fen, fen_days,
    raised_on, why)
SELECT :tenant, l.id, l.agreement_id, 'late_fee', l.instalment_id, l.due_on, 0, 0, 0, 0, :on, '{"segments": []}'
FROM unnest(cast(:ids AS uuid[]), cast(:agreements AS uuid[]), cast(:instalments AS uuid[]), cast(:dues AS date[]))
     AS l(id, agreement_id, instalment_id, due_on)
ON CONFLICT (tenant_id, instalment_id) WHERE kind = 'late_fee' DO NOTHING
"""

# The rule is rules.late_fee.late_fee_fen (a test holds the two together); here it runs over every overdue instalment at once. One more
# day of the same outstanding amount lengthens the last segment, another amount begins a new one. A settling account's balance is final.
_ACCRUE_LATE_FEES = """
WITH late AS (
    SELECT i.id, i.amount_fen, i.amount_fen - i.paid_fen - i.cancelled_fen AS open_fen, a.family,
           a.late_fee_daily_rate AS daily_rate, a.late_fee_ceiling_annual_pct AS ceiling_pct
    FROM billing_instalment i
    JOIN billing_account a ON a.tenant_id = i.tenant_id AND a.agreement_id = i.agreement_id AND a.state = 'open'
    WHERE i.tenant_id = :tenant AND i.state = 'overdue'
)
UPDATE billing_charge c
SET fen_days = c.fen_days + late.open_fen,
    amount_fen = least(trunc((c.fen_days + late.open_fen) * late.daily_rate),
                       div((c.fen_days + late.open_fen) * late.ceiling_pct, 100 * cast(:days_in_year AS integer)),
                       div(cast(late.amount_fen AS numeric) * cast(:cap_pct AS integer), 100)),
    why = CASE
        WHEN (c.why #>> '{segments,-1,base_fen}') = late.open_fen::text
             AND (c.why #>> '{segments,-1,to_on}')::date = cast(:on AS date) - 1
        THEN jsonb_set(c.why, '{segments,-1,to_on}', to_jsonb(cast(:on AS date)))
        ELSE jsonb_insert(c.why, '{segments,-1}',
                          jsonb_build_object('from_on', cast(:on AS date), 'to_on', cast(:on AS date), 'base_fen', late.open_fen), true)
    END
FROM late
WHERE c.tenant_id = :tenant AND c.instalment_id = late.id AND c.kind = 'late_fee'
RETURNING c.id, c.agreement_id, late.family, old.amount_fen AS before_fen, new.amount_fen AS after_fen
"""

# The rule is rules.effective_interest.earned_fen (a test holds the two together). A leg is earned to its end once its last day is over,
# and on the days that end a month every leg that has begun is earned up to them.
_EARNED = EARNED_FEN_SQL.format(leg_fen="i.amount_fen", from_on="i.from_on", to_on="i.to_on", on="cast(:on AS date)")
_EARN = f"""
UPDATE billing_instalment i SET earned_fen = {_EARNED}
FROM billing_account a
WHERE i.tenant_id = :tenant AND i.role IN ('rent', 'interest') AND i.state <> 'cancelled' AND i.earned_fen < i.amount_fen
  AND i.from_on <= :on AND (i.to_on <= :on OR :ends_month)
  AND i.earned_fen < {_EARNED}
  AND a.tenant_id = :tenant AND a.agreement_id = i.agreement_id AND a.commencement_on IS NOT NULL
  AND (cast(:agreements AS uuid[]) IS NULL OR i.agreement_id = ANY(cast(:agreements AS uuid[])))
RETURNING i.id, i.agreement_id, i.role, a.family, old.earned_fen AS before_fen, new.earned_fen AS after_fen
"""  # noqa: S608 (constants only)


@dataclass(frozen=True, slots=True)
class NewCharge:
    """A charge to be raised. ``why`` is its stored explanation."""

    id: UUID
    agreement_id: UUID
    kind: ChargeKind
    due_on: BusinessDate
    amount_fen: int
    why: object


async def insert_instalments(uow: UnitOfWork, instalments: Sequence[Instalment]) -> None:
    await uow.execute(
        _INSERT_INSTALMENTS,
        ids=[instalment.id for instalment in instalments],
        agreements=[instalment.agreement_id for instalment in instalments],
        versions=[instalment.version for instalment in instalments],
        numbers=[instalment.number for instalment in instalments],
        roles=[instalment.role.value for instalment in instalments],
        froms=[instalment.from_on for instalment in instalments],
        tos=[instalment.to_on for instalment in instalments],
        dues=[instalment.due_on for instalment in instalments],
        amounts=[instalment.amount_fen for instalment in instalments],
        states=[instalment.state.value for instalment in instalments],
    )


async def insert_charges(uow: UnitOfWork, charges: Sequence[NewCharge]) -> None:
    if charges:
        await uow.execute(
            _INSERT_CHARGES,
            on=uow.business_date,
            ids=[charge.id for charge in charges],
            agreements=[charge.agreement_id for charge in charges],
            kinds=[charge.kind.value for charge in charges],
            dues=[charge.due_on for charge in charges],
            amounts=[charge.amount_fen for charge in charges],
            whys=[msgspec.json.encode(charge.why).decode() for charge in charges],
        )


async def instalments_of(read: ReadSession, agreement_ids: Sequence[UUID]) -> list[Instalment]:
    """Every leg of these agreements, those of amended versions too, by agreement and due date; principal comes before interest."""
    rows = await read.rows(_INSTALMENTS, agreements=list(agreement_ids))
    return [_instalment(row) for row in rows]


async def charges_of(read: ReadSession, agreement_ids: Sequence[UUID]) -> list[Charge]:
    """Every charge of these agreements, oldest first."""
    rows = await read.rows(_CHARGES, agreements=list(agreement_ids))
    return [_charge(row) for row in rows]


async def open_items(read: ReadSession, agreement_ids: Sequence[UUID]) -> dict[UUID, list[OpenItem]]:
    """What is due and not fully paid, by agreement."""
    items: dict[UUID, list[OpenItem]] = {}
    for row in await read.rows(_OPEN_ITEMS, agreements=list(agreement_ids)):
        item = OpenItem(row.id, ItemKind(row.kind), row.due_on, row.open_fen, Family(row.family))
        items.setdefault(row.agreement_id, []).append(item)
    return items


async def pay(uow: UnitOfWork, instalment_fen: Mapping[UUID, int], charge_fen: Mapping[UUID, int]) -> None:
    """Add to what was paid on items."""
    if instalment_fen:
        await uow.execute(_PAY_INSTALMENTS, ids=list(instalment_fen), amounts=list(instalment_fen.values()))
    if charge_fen:
        await uow.execute(_PAY_CHARGES, ids=list(charge_fen), amounts=list(charge_fen.values()))


async def unpay(uow: UnitOfWork, instalment_fen: Mapping[UUID, int], charge_fen: Mapping[UUID, int]) -> None:
    """Take from what was paid on items."""
    if instalment_fen:
        await uow.execute(_UNPAY_INSTALMENTS, ids=list(instalment_fen), amounts=list(instalment_fen.values()))
    if charge_fen:
        await uow.execute(_PAY_CHARGES, ids=list(charge_fen), amounts=[-fen for fen in charge_fen.values()])


async def let_off(uow: UnitOfWork, parts: Sequence[tuple[OpenItem, int]]) -> None:
    """Let so much of items off (waived, written off); below zero opens it again."""
    legs = {item.id: fen for item, fen in parts if item.is_leg}
    charges = {item.id: fen for item, fen in parts if not item.is_leg}
    if legs:
        await uow.execute(_LET_OFF_INSTALMENTS, ids=list(legs), amounts=list(legs.values()))
    if charges:
        await uow.execute(_LET_OFF_CHARGES, ids=list(charges), amounts=list(charges.values()))


async def cancel(uow: UnitOfWork, instalment_ids: Sequence[UUID], charge_ids: Sequence[UUID]) -> None:
    """Let items fall away whole: nothing is paid on them, nothing is open."""
    if instalment_ids:
        await uow.execute(
            "UPDATE billing_instalment SET state = 'cancelled', cancelled_fen = amount_fen, paid_fen = 0"
            " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[])) AND state = ANY(cast(:sources AS text[]))",
            ids=list(instalment_ids),
            sources=[state.value for state in INSTALMENT_MOVES.sources(InstalmentState.CANCELLED)],
        )
    if charge_ids:
        await uow.execute(
            "UPDATE billing_charge SET cancelled_fen = amount_fen, paid_fen = 0"
            " WHERE tenant_id = :tenant AND id = ANY(cast(:ids AS uuid[]))",
            ids=list(charge_ids),
        )


async def fall_due(uow: UnitOfWork, on: BusinessDate, agreement_ids: Sequence[UUID] | None = None) -> Sequence[Row[Any]]:
    """Mark what is due by a date, of open accounts (all, or of these agreements); returns it."""
    return await uow.rows(_FALL_DUE, on=on, agreements=None if agreement_ids is None else list(agreement_ids))


async def become_overdue(uow: UnitOfWork, on: BusinessDate) -> Sequence[Row[Any]]:
    """Mark what is past its grace days at the close of a date; returns what was not marked before."""
    return await uow.rows(_BECOME_OVERDUE, on=on)


async def open_late_fees(uow: UnitOfWork, late: Sequence[tuple[UUID, UUID, UUID, BusinessDate]], on: BusinessDate) -> None:
    """A late fee of nothing yet for each (id, agreement, instalment, due date)."""
    if late:
        await uow.execute(
            _OPEN_LATE_FEES,
            on=on,
            ids=[charge_id for charge_id, _, _, _ in late],
            agreements=[agreement_id for _, agreement_id, _, _ in late],
            instalments=[instalment_id for _, _, instalment_id, _ in late],
            dues=[due_on for _, _, _, due_on in late],
        )


async def accrue_late_fees(uow: UnitOfWork, on: BusinessDate, days_in_year: int, cap_pct: int) -> Sequence[Row[Any]]:
    """Add one day to every late fee of what is overdue; returns each with its amount before and after."""
    # Three sets of like size are joined. Without fresh statistics the planner takes them for a row each and compares all with all
    # (measured: 5 s for 15,000 instalments); hashed, the cost grows with the tenant's arrears.
    await uow.execute("SET LOCAL enable_nestloop = off")
    rows = await uow.rows(_ACCRUE_LATE_FEES, on=on, days_in_year=days_in_year, cap_pct=cap_pct)
    await uow.execute("SET LOCAL enable_nestloop = on")
    return rows


async def earn(
    uow: UnitOfWork, on: BusinessDate, *, ends_month: bool, agreement_ids: Sequence[UUID] | None = None
) -> Sequence[Row[Any]]:
    """Earn rents and interest up to the close of a date; returns each leg that grew, with what was earned before and after."""
    return await uow.rows(_EARN, on=on, ends_month=ends_month, agreements=None if agreement_ids is None else list(agreement_ids))


def segments_of(charge: Charge) -> tuple[Segment, ...]:
    """The segments a late fee was accrued over."""
    return msgspec.convert(charge.why, dict[str, tuple[Segment, ...]])["segments"]


def _instalment(row: Row[Any]) -> Instalment:
    return Instalment(
        row.id,
        row.agreement_id,
        row.version,
        row.number,
        Role(row.role),
        row.from_on,
        row.to_on,
        row.due_on,
        row.amount_fen,
        row.paid_fen,
        row.cancelled_fen,
        row.earned_fen,
        InstalmentState(row.state),
    )


def _charge(row: Row[Any]) -> Charge:
    return Charge(
        row.id,
        row.agreement_id,
        ChargeKind(row.kind),
        row.instalment_id,
        row.due_on,
        row.amount_fen,
        row.paid_fen,
        row.cancelled_fen,
        row.fen_days,
        row.why,
    )
