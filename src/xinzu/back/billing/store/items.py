"""SQL of what is owed: instalments and charges."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from xinzu.back.billing.model import (
    INSTALMENT_MOVES,
    Charge,
    ChargeKind,
    Instalment,
    InstalmentState,
    ItemKind,
    LateFeeDays,
    OpenItem,
    Role,
    Suspended,
)
from xinzu.back.billing.rules.vat import RATE_PCT, VAT_FEN_SQL, Supply
from xinzu.kernel.terms import Family
from xinzu.kernel.time import BusinessDate
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

ROWS_AT_ONCE = 20_000

_INSTALMENTS = """
SELECT id, agreement_id, version, number, role, from_on, to_on, due_on, amount_fen, paid_fen, cancelled_fen, earned_fen, state,
       suspended_fen, suspended_vat_fen
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
    cancelled_fen, earned_fen, state, suspended_fen, suspended_vat_fen)
SELECT :tenant, i.id, i.agreement_id, i.version, i.number, i.role, i.from_on, i.to_on, i.due_on, i.amount_fen, 0, 0, 0, i.state,
       0, 0
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
SELECT i.agreement_id, i.id, i.role AS kind, i.due_on, i.amount_fen - i.paid_fen - i.cancelled_fen AS open_fen
FROM billing_instalment i
WHERE i.tenant_id = :tenant AND i.agreement_id = ANY(cast(:agreements AS uuid[])) AND i.state IN ('due', 'overdue')
UNION ALL
SELECT c.agreement_id, c.id, c.kind, c.due_on, c.amount_fen - c.paid_fen - c.cancelled_fen
FROM billing_charge c
WHERE c.tenant_id = :tenant AND c.agreement_id = ANY(cast(:agreements AS uuid[])) AND c.amount_fen > c.paid_fen + c.cancelled_fen
"""
_FAMILIES = """
SELECT agreement_id, family FROM billing_account WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[]))
"""

# Suspended is what is open of suspended interest: what is paid of it, or let off, is so no more (rules.suspension).
_OPEN_AFTER = "i.amount_fen - i.paid_fen - i.cancelled_fen - p.amount_fen"
_SUSPENDED = f"least(i.suspended_fen, {_OPEN_AFTER})"
_LENDING_PCT = RATE_PCT[Supply.LENDING]
_SUSPENDED_AFTER = f"""
    suspended_fen = {_SUSPENDED}, earned_fen = i.earned_fen + i.suspended_fen - {_SUSPENDED},
    suspended_vat_fen = least(i.suspended_vat_fen, {VAT_FEN_SQL.format(gross_fen=_SUSPENDED, rate_pct=_LENDING_PCT)})
"""
_SUSPENDED_MOVED = """
RETURNING i.id, i.agreement_id, old.suspended_fen AS before_fen, new.suspended_fen AS after_fen,
          old.suspended_vat_fen AS vat_before_fen, new.suspended_vat_fen AS vat_after_fen,
          CASE WHEN old.suspended_fen > 0 THEN (SELECT a.family FROM billing_account a
               WHERE a.tenant_id = i.tenant_id AND a.agreement_id = i.agreement_id) END AS family
"""

_PAY_INSTALMENTS = f"""
WITH paid AS (UPDATE billing_instalment i
SET paid_fen = i.paid_fen + p.amount_fen,
    state = CASE WHEN i.paid_fen + p.amount_fen + i.cancelled_fen = i.amount_fen THEN 'paid' ELSE i.state END, {_SUSPENDED_AFTER}
FROM unnest(cast(:ids AS uuid[]), cast(:amounts AS bigint[])) AS p(id, amount_fen)
WHERE i.tenant_id = :tenant AND i.id = p.id {_SUSPENDED_MOVED}
) SELECT * FROM paid WHERE before_fen <> after_fen
"""  # noqa: S608 (constants only)

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
_LET_OFF_INSTALMENTS = f"""
UPDATE billing_instalment i
SET cancelled_fen = i.cancelled_fen + p.amount_fen,
    state = CASE WHEN i.paid_fen + i.cancelled_fen + p.amount_fen = i.amount_fen THEN 'paid'
                 WHEN i.state = 'paid' THEN 'due' ELSE i.state END, {_SUSPENDED_AFTER}
FROM unnest(cast(:ids AS uuid[]), cast(:amounts AS bigint[])) AS p(id, amount_fen)
WHERE i.tenant_id = :tenant AND i.id = p.id {_SUSPENDED_MOVED}
"""  # noqa: S608 (constants only)

_LET_OFF_CHARGES = """
UPDATE billing_charge c SET cancelled_fen = c.cancelled_fen + p.amount_fen
FROM unnest(cast(:ids AS uuid[]), cast(:amounts AS bigint[])) AS p(id, amount_fen)
WHERE c.tenant_id = :tenant AND c.id = p.id
"""

# Interest that falls due while accrual is stopped is claimed and not income; a loan's is not taxed before it is paid.
_WITHHELD = "CASE WHEN i.role = 'interest' AND a.non_accrual_since IS NOT NULL THEN i.amount_fen - i.earned_fen ELSE 0 END"
_FALL_DUE = f"""
UPDATE billing_instalment i
SET state = 'due', suspended_fen = {_WITHHELD},
    suspended_vat_fen = CASE WHEN a.family = 'loan' THEN {VAT_FEN_SQL.format(gross_fen=_WITHHELD, rate_pct=_LENDING_PCT)} ELSE 0 END
FROM billing_account a
WHERE i.tenant_id = :tenant AND i.state = 'scheduled' AND i.due_on <= :on
  AND a.tenant_id = :tenant AND a.agreement_id = i.agreement_id AND a.state = 'open'
  AND (cast(:agreements AS uuid[]) IS NULL OR i.agreement_id = ANY(cast(:agreements AS uuid[])))
RETURNING i.id, i.agreement_id, i.number, i.role, i.due_on, i.amount_fen, i.suspended_fen, a.party_id, a.family, a.credit_balance_fen
"""  # noqa: S608 (constants only)

# In order, so that who takes a part of the rows at a time has the legs of an instalment together.
_FALL_DUE_IN_ORDER = f"WITH fallen AS ({_FALL_DUE}) SELECT * FROM fallen ORDER BY agreement_id, number, due_on"  # noqa: S608 (constants only)

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
# day of the same outstanding amount lengthens the last segment, another amount begins a new one. A settling account's balance is final. The
# charge grows by the difference, because part of it may have been taken back (commands.value_date).
_LATE_FEE = (
    "least(trunc({fen_days} * late.daily_rate), div({fen_days} * late.ceiling_pct, 100 * cast(:days_in_year AS integer)),"
    " div(cast(late.amount_fen AS numeric) * cast(:cap_pct AS integer), 100))"
)
_ACCRUE_LATE_FEES = f"""
WITH late AS (
    SELECT i.id, i.amount_fen, i.amount_fen - i.paid_fen - i.cancelled_fen AS open_fen, a.family,
           a.late_fee_daily_rate AS daily_rate, a.late_fee_ceiling_annual_pct AS ceiling_pct
    FROM billing_instalment i
    JOIN billing_account a ON a.tenant_id = i.tenant_id AND a.agreement_id = i.agreement_id AND a.state = 'open'
    WHERE i.tenant_id = :tenant AND i.state = 'overdue' AND (a.no_late_fee_to IS NULL OR a.no_late_fee_to < :on)
)
UPDATE billing_charge c
SET fen_days = c.fen_days + late.open_fen,
    amount_fen = c.amount_fen + {_LATE_FEE.format(fen_days="(c.fen_days + late.open_fen)")} - {_LATE_FEE.format(fen_days="c.fen_days")},
    why = CASE
        WHEN (c.why #>> '{{segments,-1,base_fen}}') = late.open_fen::text
             AND (c.why #>> '{{segments,-1,to_on}}')::date = cast(:on AS date) - 1
        THEN jsonb_set(c.why, '{{segments,-1,to_on}}', to_jsonb(cast(:on AS date)))
        ELSE jsonb_insert(c.why, '{{segments,-1}}',
                          jsonb_build_object('from_on', cast(:on AS date), 'to_on', cast(:on AS date), 'base_fen', late.open_fen), true)
    END
FROM late
WHERE c.tenant_id = :tenant AND c.instalment_id = late.id AND c.kind = 'late_fee'
RETURNING c.id, c.agreement_id, late.family, old.amount_fen AS before_fen, new.amount_fen AS after_fen
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


async def open_items(
    read: ReadSession, agreement_ids: Sequence[UUID], families: Mapping[UUID, Family] | None = None
) -> dict[UUID, list[OpenItem]]:
    """What is due and not fully paid, by agreement. ``families`` of the agreements, when they are known already."""
    if families is None:
        families = {row.agreement_id: Family(row.family) for row in await read.rows(_FAMILIES, agreements=list(agreement_ids))}
    items: dict[UUID, list[OpenItem]] = {}
    for agreement_id, item_id, kind, due_on, open_fen in await read.rows(_OPEN_ITEMS, agreements=list(agreement_ids)):
        item = OpenItem(item_id, ItemKind(kind), due_on, open_fen, families[agreement_id])
        items.setdefault(agreement_id, []).append(item)
    return items


async def pay(uow: UnitOfWork, instalment_fen: Mapping[UUID, int], charge_fen: Mapping[UUID, int]) -> list[Suspended]:
    """Add to what was paid on items; returns the suspended interest that was paid."""
    moved: Sequence[Row] = ()
    if instalment_fen:
        moved = await uow.rows(_PAY_INSTALMENTS, ids=list(instalment_fen), amounts=list(instalment_fen.values()))
    if charge_fen:
        await uow.execute(_PAY_CHARGES, ids=list(charge_fen), amounts=list(charge_fen.values()))
    return suspended(moved)


async def unpay(uow: UnitOfWork, instalment_fen: Mapping[UUID, int], charge_fen: Mapping[UUID, int]) -> None:
    """Take from what was paid on items."""
    if instalment_fen:
        await uow.execute(_UNPAY_INSTALMENTS, ids=list(instalment_fen), amounts=list(instalment_fen.values()))
    if charge_fen:
        await uow.execute(_PAY_CHARGES, ids=list(charge_fen), amounts=[-fen for fen in charge_fen.values()])


async def let_off(uow: UnitOfWork, parts: Sequence[tuple[OpenItem, int]]) -> list[Suspended]:
    """Let so much of items off (waived, written off); below zero opens it again. Returns the suspended interest that was let off."""
    moved: Sequence[Row] = ()
    legs = {item.id: fen for item, fen in parts if item.is_leg}
    charges = {item.id: fen for item, fen in parts if not item.is_leg}
    if legs:
        moved = await uow.rows(_LET_OFF_INSTALMENTS, ids=list(legs), amounts=list(legs.values()))
    if charges:
        await uow.execute(_LET_OFF_CHARGES, ids=list(charges), amounts=list(charges.values()))
    return suspended(moved)


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


async def fall_due(uow: UnitOfWork, on: BusinessDate, agreement_ids: Sequence[UUID] | None = None) -> Sequence[Row]:
    """Mark what is due by a date, of open accounts (all, or of these agreements); returns it."""
    return await uow.rows(_FALL_DUE, on=on, agreements=None if agreement_ids is None else list(agreement_ids))


def falling_due(uow: UnitOfWork, on: BusinessDate) -> AsyncIterator[Sequence[Row]]:
    """As ``fall_due`` for all agreements, a part of the rows at a time, by agreement: there may be more than memory should hold."""
    return uow.batches(_FALL_DUE_IN_ORDER, ROWS_AT_ONCE, on=on, agreements=None)


async def become_overdue(uow: UnitOfWork, on: BusinessDate) -> Sequence[Row]:
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


async def accrue_late_fees(
    uow: UnitOfWork, on: BusinessDate, days_in_year: int, cap_pct: int, *, are_many: bool
) -> Sequence[Row]:
    """Add one day to every late fee of what is overdue; returns each with its amount before and after."""
    # Three sets of like size are joined. Without fresh statistics the planner takes them for a row each and compares all with all
    # (measured: 5 s for 15,000 instalments); hashed, the cost grows with the tenant's arrears.
    if are_many:
        await uow.execute("SET LOCAL enable_nestloop = off")
    rows = await uow.rows(_ACCRUE_LATE_FEES, on=on, days_in_year=days_in_year, cap_pct=cap_pct)
    if are_many:
        await uow.execute("SET LOCAL enable_nestloop = on")
    return rows


def late_fee_days_of(charge: Charge) -> LateFeeDays:
    """The days a late fee was accrued over, and its corrections."""
    return msgspec.convert(charge.why, LateFeeDays)


def _instalment(row: Row) -> Instalment:
    return Instalment(
        id=row.id,
        agreement_id=row.agreement_id,
        version=row.version,
        number=row.number,
        role=Role(row.role),
        from_on=row.from_on,
        to_on=row.to_on,
        due_on=row.due_on,
        amount_fen=row.amount_fen,
        paid_fen=row.paid_fen,
        cancelled_fen=row.cancelled_fen,
        earned_fen=row.earned_fen,
        state=InstalmentState(row.state),
        suspended_fen=row.suspended_fen,
        suspended_vat_fen=row.suspended_vat_fen,
    )


def suspended(moved: Sequence[Row]) -> list[Suspended]:
    """Rows of legs as the suspended interest that moved on them."""
    return [
        Suspended(
            leg_id=row.id,
            agreement_id=row.agreement_id,
            family=Family(row.family),
            before_fen=row.before_fen,
            after_fen=row.after_fen,
            vat_before_fen=row.vat_before_fen,
            vat_after_fen=row.vat_after_fen,
        )
        for row in moved
        if row.before_fen != row.after_fen
    ]


def _charge(row: Row) -> Charge:
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
