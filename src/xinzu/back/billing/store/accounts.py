"""SQL of billing accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from uuid import UUID

import msgspec

from xinzu.back.billing.model import ACCOUNT_MOVES, AccountState, AssetClass
from xinzu.back.billing.rules.asset_class import NON_PERFORMING
from xinzu.back.billing.rules.lease_class import LeaseClassification
from xinzu.kernel.terms import DailyRent, EndsIn, Family, Financing
from xinzu.kernel.time import BusinessDate
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_SELECT = """
SELECT agreement_id, party_id, agreement_no, state, family, financing, version, rent_fen, period_months, period_count,
       early_return_fee_fen, grace_days, late_fee_daily_rate, late_fee_ceiling_annual_pct, commencement_on, credit_balance_fen,
       overdue_fen, days_past_due, asset_class, provision_fen, written_off_on, device_value_fen, buyout_fen, non_accrual_since,
       first_rents, ends_in, due_shift, buyout_prices_fen, kept_on, period_days, daily,
       has_shares
FROM billing_account
"""

_INSERT = """
INSERT INTO billing_account (tenant_id, agreement_id, party_id, agreement_no, state, family, financing, version, rent_fen, period_months,
    period_count, early_return_fee_fen, grace_days, late_fee_daily_rate, late_fee_ceiling_annual_pct, credit_balance_fen, overdue_fen,
    days_past_due, asset_class, provision_fen, device_value_fen, buyout_fen, first_rents, ends_in, due_shift, buyout_prices_fen,
    period_days, daily, opened_at)
SELECT :tenant, a.agreement_id, a.party_id, a.agreement_no, 'open', a.family, a.financing, 1, a.rent_fen, a.period_months,
       a.period_count, a.early_return_fee_fen, a.grace_days, a.daily_rate, a.ceiling, 0, 0, 0, 'normal', 0,
       a.device_value_fen, a.buyout_fen, a.first_rents, a.ends_in, a.due_shift, a.buyout_prices_fen,
       a.period_days, a.daily, :now
FROM unnest(cast(:agreements AS uuid[]), cast(:parties AS uuid[]), cast(:numbers AS text[]), cast(:families AS text[]),
            cast(:financings AS jsonb[]), cast(:rents AS bigint[]), cast(:months AS smallint[]), cast(:counts AS smallint[]),
            cast(:fees AS bigint[]), cast(:graces AS smallint[]), cast(:rates AS numeric[]), cast(:ceilings AS numeric[]),
            cast(:values AS bigint[]), cast(:buyouts AS bigint[]), cast(:firsts AS smallint[]), cast(:ends AS text[]),
            cast(:shifts AS text[]), cast(:prices AS jsonb[]), cast(:days AS smallint[]), cast(:dailies AS jsonb[]))
     AS a(agreement_id, party_id, agreement_no, family, financing, rent_fen, period_months, period_count, early_return_fee_fen, grace_days,
          daily_rate, ceiling, device_value_fen, buyout_fen, first_rents, ends_in, due_shift, buyout_prices_fen, period_days, daily)
ON CONFLICT (tenant_id, agreement_id) DO NOTHING
"""

# Accounts are always locked in order of their ids and before anything else, so that two writers never wait for each other crosswise.
_LOCK = f"""{_SELECT}
WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[]))
ORDER BY agreement_id FOR NO KEY UPDATE
"""

# A renewal only lengthens the term, so that its first end is the earliest.
TERM_OVER = """
    SELECT o.agreement_id FROM billing_account o
    WHERE o.tenant_id = :tenant AND o.ends_in = 'own' AND o.state = 'open' AND o.written_off_on IS NULL
      AND (o.commencement_on + make_interval(months => o.period_months * o.period_count,
                                              days => o.period_days * o.period_count))::date <= :opens_on
"""

_LOCK_FOR_CLOSE = f"""
SELECT count(*) AS locked, (SELECT reltuples FROM pg_class WHERE oid = 'billing_account'::regclass) AS known FROM (
    SELECT a.agreement_id FROM billing_account a
    WHERE a.tenant_id = :tenant AND a.agreement_id IN (
        SELECT i.agreement_id FROM billing_instalment i
        WHERE i.tenant_id = :tenant AND i.state = 'scheduled' AND i.due_on <= :opens_on
        UNION ALL
        SELECT i.agreement_id FROM billing_instalment i WHERE i.tenant_id = :tenant AND i.state IN ('due', 'overdue')
        UNION ALL
        SELECT o.agreement_id FROM billing_account o WHERE o.tenant_id = :tenant AND o.overdue_fen > 0
        UNION ALL {TERM_OVER})
    ORDER BY a.agreement_id FOR NO KEY UPDATE OF a
) AS locked
"""  # noqa: S608 (constants only)

# Overdue are the overdue instalments and the late fees on them. The rule is rules.delinquency.arrears (a test holds the two together).
_LATE_ITEMS = """
    SELECT i.agreement_id, i.due_on, i.amount_fen - i.paid_fen - i.cancelled_fen AS open_fen
    FROM billing_instalment i WHERE i.tenant_id = :tenant AND i.state = 'overdue' {only_i}
    UNION ALL
    SELECT c.agreement_id, c.due_on, c.amount_fen - c.paid_fen - c.cancelled_fen
    FROM billing_charge c
    WHERE c.tenant_id = :tenant AND c.kind = 'late_fee' AND c.amount_fen > c.paid_fen + c.cancelled_fen {only_c}
"""

_AGE = f"""
UPDATE billing_account a SET overdue_fen = l.overdue_fen,
    days_past_due = cast(:on AS date) - CASE WHEN l.oldest_on <= a.ageing_until THEN least(l.oldest_on, a.ageing_since) ELSE l.oldest_on END
FROM (SELECT agreement_id, sum(open_fen) AS overdue_fen, min(due_on) AS oldest_on
      FROM ({_LATE_ITEMS.format(only_i="", only_c="")}) AS late GROUP BY agreement_id) AS l
WHERE a.tenant_id = :tenant AND a.agreement_id = l.agreement_id
RETURNING a.agreement_id, a.party_id, a.overdue_fen, a.days_past_due
"""  # noqa: S608 (constants only)

# The rule is rules.asset_class.accrues_interest, or earlier by the tenant's policy; a rental has no interest.
_STOP_ACCRUAL = """
UPDATE billing_account SET non_accrual_since = :on
WHERE tenant_id = :tenant AND family <> 'rental' AND non_accrual_since IS NULL AND overdue_fen > 0 AND days_past_due > :days
RETURNING agreement_id, party_id, days_past_due
"""

_RESUME_ACCRUAL = f"""
UPDATE billing_account SET non_accrual_since = NULL
WHERE tenant_id = :tenant AND non_accrual_since IS NOT NULL AND overdue_fen = 0
  AND asset_class NOT IN ({", ".join(f"'{each.value}'" for each in NON_PERFORMING)})
RETURNING agreement_id, party_id
"""  # noqa: S608 (constants only)

_ONLY = "AND {}.agreement_id = ANY(cast(:agreements AS uuid[]))"

# What is overdue was aged at the last close, so that at least one day is past even when none was closed since.
_REFRESH = f"""
WITH open_items AS (
    SELECT i.agreement_id, i.due_on, i.amount_fen - i.paid_fen - i.cancelled_fen AS open_fen, i.state = 'overdue' AS is_late
    FROM billing_instalment i WHERE i.tenant_id = :tenant AND i.state IN ('due', 'overdue') {_ONLY.format("i")}
    UNION ALL
    SELECT c.agreement_id, c.due_on, c.amount_fen - c.paid_fen - c.cancelled_fen, c.kind = 'late_fee'
    FROM billing_charge c WHERE c.tenant_id = :tenant AND c.amount_fen > c.paid_fen + c.cancelled_fen {_ONLY.format("c")}
), owed AS (
    SELECT agreement_id, sum(open_fen) AS owed_fen, sum(open_fen) FILTER (WHERE is_late) AS overdue_fen,
           min(due_on) FILTER (WHERE is_late) AS oldest_on
    FROM open_items GROUP BY agreement_id
), held AS (
    SELECT agreement_id, sum(amount_fen - allocated_fen - refunded_fen) AS credit_fen FROM billing_receipt
    WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[]))
      AND amount_fen > allocated_fen + refunded_fen AND reversed_on IS NULL
    GROUP BY agreement_id
), wanted AS (
    SELECT t.agreement_id, coalesce(held.credit_fen, 0) AS credit_fen, coalesce(owed.overdue_fen, 0) AS overdue_fen, owed.oldest_on,
           coalesce(owed.owed_fen, 0) AS owed_fen
    FROM unnest(cast(:agreements AS uuid[])) AS t(agreement_id)
    LEFT JOIN held USING (agreement_id) LEFT JOIN owed USING (agreement_id)
)
UPDATE billing_account a
SET credit_balance_fen = w.credit_fen, overdue_fen = w.overdue_fen,
    days_past_due = CASE WHEN w.oldest_on IS NULL THEN 0 ELSE greatest(1, cast(:on AS date)
        - CASE WHEN w.oldest_on <= a.ageing_until THEN least(w.oldest_on, a.ageing_since) ELSE w.oldest_on END) END
FROM wanted w
WHERE a.tenant_id = :tenant AND a.agreement_id = w.agreement_id
RETURNING a.agreement_id, a.party_id, a.state, old.credit_balance_fen AS credit_before_fen, new.credit_balance_fen AS credit_fen,
          old.overdue_fen AS overdue_before_fen, new.overdue_fen AS overdue_fen, cast(w.owed_fen AS bigint) AS owed_fen,
          a.state = 'open' AND a.family <> 'rental' AND a.commencement_on IS NOT NULL AND a.written_off_on IS NULL
          AND w.owed_fen = 0 AND NOT EXISTS (SELECT 1 FROM billing_instalment i WHERE i.tenant_id = :tenant
                                             AND i.agreement_id = a.agreement_id AND i.state = 'scheduled') AS is_repaid,
          a.kept_on
"""  # noqa: S608 (constants only)

_TO_PASS = f"""
SELECT a.agreement_id, a.party_id, a.buyout_fen FROM billing_account a
WHERE a.tenant_id = :tenant AND a.agreement_id IN ({TERM_OVER})
  AND NOT EXISTS (
    SELECT 1 FROM billing_instalment i WHERE i.tenant_id = :tenant AND i.agreement_id = a.agreement_id
      AND (i.state IN ('scheduled', 'due', 'overdue') OR i.state = 'paid' AND i.to_on >= :opens_on))
  AND NOT EXISTS (
    SELECT 1 FROM billing_charge c WHERE c.tenant_id = :tenant AND c.agreement_id = a.agreement_id
      AND c.amount_fen > c.paid_fen + c.cancelled_fen)
ORDER BY a.agreement_id
"""  # noqa: S608 (constants only)


@dataclass(frozen=True, slots=True)
class Account:
    """An account with the terms it bills by."""

    agreement_id: UUID
    party_id: UUID
    agreement_no: str
    state: AccountState
    family: Family
    financing: Financing | None
    version: int
    rent_fen: int
    period_months: int
    period_count: int
    early_return_fee_fen: int
    grace_days: int
    late_fee_daily_rate: Decimal
    late_fee_ceiling_annual_pct: Decimal
    commencement_on: BusinessDate | None
    credit_balance_fen: int
    overdue_fen: int
    days_past_due: int
    asset_class: AssetClass = AssetClass.NORMAL
    provision_fen: int = 0
    written_off_on: BusinessDate | None = None
    non_accrual_since: BusinessDate | None = None
    device_value_fen: int = 0
    buyout_fen: int | None = None
    first_rents: int = 1
    ends_in: EndsIn = EndsIn.RETURN
    due_shift: str = "none"
    buyout_prices_fen: tuple[int, ...] = ()
    kept_on: BusinessDate | None = None
    period_days: int = 0
    daily: DailyRent | None = None
    has_shares: bool = False


FEW_AT_MOST = 1_000


class Touched(Enum):
    """How many of all accounts a close touches: few are a thousand, or a tenth of those of all tenants."""

    NONE = "none"
    FEW = "few"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class Standing:
    """An account after money moved: what is owed now, what is held, what is overdue, and how the latter two stood before.

    ``is_repaid``: an open financing has nothing left to pay, neither now nor later. What was written off is still claimed.
    ``kept_on``: since when the thing stays with the lessee, whose it is with the settlement.
    """

    agreement_id: UUID
    party_id: UUID
    state: AccountState
    owed_fen: int
    credit_before_fen: int
    credit_fen: int
    overdue_before_fen: int
    overdue_fen: int
    is_repaid: bool
    kept_on: BusinessDate | None = None


async def insert_accounts(uow: UnitOfWork, accounts: Sequence[Account]) -> None:
    """Open accounts; those that exist stay as they are."""
    await uow.execute(
        _INSERT,
        now=uow.now,
        agreements=[account.agreement_id for account in accounts],
        parties=[account.party_id for account in accounts],
        numbers=[account.agreement_no for account in accounts],
        families=[account.family.value for account in accounts],
        financings=[
            None if account.financing is None else msgspec.json.encode(account.financing).decode() for account in accounts
        ],
        rents=[account.rent_fen for account in accounts],
        months=[account.period_months for account in accounts],
        counts=[account.period_count for account in accounts],
        fees=[account.early_return_fee_fen for account in accounts],
        graces=[account.grace_days for account in accounts],
        rates=[account.late_fee_daily_rate for account in accounts],
        ceilings=[account.late_fee_ceiling_annual_pct for account in accounts],
        values=[account.device_value_fen for account in accounts],
        buyouts=[account.buyout_fen for account in accounts],
        firsts=[account.first_rents for account in accounts],
        ends=[account.ends_in.value for account in accounts],
        shifts=[account.due_shift for account in accounts],
        prices=[
            msgspec.json.encode(account.buyout_prices_fen).decode() if account.buyout_prices_fen else None for account in accounts
        ],
        days=[account.period_days for account in accounts],
        dailies=[None if account.daily is None else msgspec.json.encode(account.daily).decode() for account in accounts],
    )


async def lock(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> dict[UUID, Account]:
    """The accounts of these agreements, locked until the end of the transaction; agreements without one are left out."""
    rows = await uow.rows(_LOCK, agreements=list(agreement_ids))
    return {row.agreement_id: _account(row) for row in rows}


async def lock_for_close(uow: UnitOfWork, opens_on: BusinessDate) -> Touched:
    """Lock every account that a close can touch, and say how many of all those are."""
    row = await uow.row(_LOCK_FOR_CLOSE, opens_on=opens_on)
    if row is None or row.locked == 0:
        return Touched.NONE
    return Touched.FEW if row.locked < max(FEW_AT_MOST, row.known / 10) else Touched.MANY


async def plan_for(uow: UnitOfWork, touched: Touched) -> None:
    """Say how what follows in this transaction finds its rows. PostgreSQL cannot know how few of the legs to come fall due on a day: it guesses
    a quarter of the table, and reads every account in every statement (measured: a good half of an ordinary close). So few are looked up by
    their indexes. Many are left to the planner."""
    off_for_few = "off" if touched is Touched.FEW else "on"
    await uow.execute(
        "SELECT set_config('enable_seqscan', :off_for_few, true), set_config('enable_hashjoin', :off_for_few, true),"
        " set_config('enable_mergejoin', :off_for_few, true)",
        off_for_few=off_for_few,
    )


async def find(read: ReadSession, agreement_id: UUID) -> Account | None:
    row = await read.row(f"{_SELECT} WHERE tenant_id = :tenant AND agreement_id = :agreement", agreement=agreement_id)
    return None if row is None else _account(row)


async def commencements(read: ReadSession, agreement_ids: Sequence[UUID]) -> dict[UUID, BusinessDate]:
    """The commencement of those of these agreements that have begun."""
    rows = await read.rows(
        "SELECT agreement_id, commencement_on FROM billing_account"
        " WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[])) AND commencement_on IS NOT NULL",
        agreements=list(agreement_ids),
    )
    return {row.agreement_id: row.commencement_on for row in rows}


async def age(uow: UnitOfWork, on: BusinessDate) -> Sequence[Row]:
    """Write days past due and overdue amount of every agreement in arrears at the close of a date; returns them."""
    return await uow.rows(_AGE, on=on)


async def resume_accrual(uow: UnitOfWork) -> Sequence[Row]:
    """Let interest of what is cured enter income again; returns the accounts."""
    return await uow.rows(_RESUME_ACCRUAL)


async def stop_accrual(uow: UnitOfWork, on: BusinessDate, days: int) -> Sequence[Row]:
    """Stop the accrual of interest of what is more than so many days past due; returns the accounts where it had not stopped."""
    return await uow.rows(_STOP_ACCRUAL, on=on, days=days)


async def refresh(uow: UnitOfWork, agreement_ids: Sequence[UUID], on: BusinessDate) -> list[Standing]:
    """Bring credit balance and arrears of accounts in line with their items and receipts; ``on`` is the last closed date."""
    return [
        Standing(
            agreement_id=row.agreement_id,
            party_id=row.party_id,
            state=AccountState(row.state),
            owed_fen=row.owed_fen,
            credit_before_fen=row.credit_before_fen,
            credit_fen=row.credit_fen,
            overdue_before_fen=row.overdue_before_fen,
            overdue_fen=row.overdue_fen,
            is_repaid=row.is_repaid,
            kept_on=row.kept_on,
        )
        for row in await uow.rows(_REFRESH, agreements=list(agreement_ids), on=on)
    ]


async def commence(uow: UnitOfWork, commencements: Sequence[tuple[UUID, BusinessDate, LeaseClassification | None]]) -> None:
    await uow.execute(
        "UPDATE billing_account a SET commencement_on = c.commencement_on"
        " FROM unnest(cast(:agreements AS uuid[]), cast(:dates AS date[])) AS c(agreement_id, commencement_on)"
        " WHERE a.tenant_id = :tenant AND a.agreement_id = c.agreement_id",
        agreements=[agreement_id for agreement_id, _, _ in commencements],
        dates=[on for _, on, _ in commencements],
    )
    classified = [(agreement_id, made) for agreement_id, _, made in commencements if made is not None]
    if classified:
        await uow.execute(
            "INSERT INTO billing_lease_class (tenant_id, agreement_id, classification)"
            " SELECT :tenant, c.* FROM unnest(cast(:agreements AS uuid[]), cast(:classes AS jsonb[])) AS c",
            agreements=[agreement_id for agreement_id, _ in classified],
            classes=[msgspec.json.encode(made).decode() for _, made in classified],
        )


async def lease_class_of(read: ReadSession, agreement_id: UUID) -> LeaseClassification | None:
    """How a lease was classified at its inception; None for a loan, and before commencement."""
    stored = await read.scalar(
        "SELECT classification FROM billing_lease_class WHERE tenant_id = :tenant AND agreement_id = :agreement",
        agreement=agreement_id,
    )
    return None if stored is None else msgspec.convert(stored, LeaseClassification)


async def move(uow: UnitOfWork, agreement_ids: Sequence[UUID], target: AccountState) -> None:
    """Move accounts to a state the transition table allows; those it does not allow stay."""
    if agreement_ids:
        await uow.execute(
            "UPDATE billing_account SET state = :target, settled_on = CASE WHEN :target = 'settled' THEN cast(:on AS date) END"
            " WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[])) AND state = ANY(cast(:sources AS text[]))",
            target=target.value,
            on=uow.business_date,
            agreements=list(agreement_ids),
            sources=[state.value for state in ACCOUNT_MOVES.sources(target)],
        )


async def amend(
    uow: UnitOfWork,
    agreement_id: UUID,
    *,
    version: int,
    party_id: UUID,
    ageing: tuple[BusinessDate | None, BusinessDate | None] | None,
    no_late_fee_to: BusinessDate | None,
) -> None:
    """What an amendment changes of the account itself. ``ageing`` (since, until; None: as it was) and ``no_late_fee_to`` as in the tables."""
    await uow.execute(
        "UPDATE billing_account SET version = :version, party_id = :party, no_late_fee_to = coalesce(:no_late_fee_to, no_late_fee_to),"
        " ageing_since = CASE WHEN :ages THEN cast(:since AS date) ELSE ageing_since END,"
        " ageing_until = CASE WHEN :ages THEN cast(:until AS date) ELSE ageing_until END"
        " WHERE tenant_id = :tenant AND agreement_id = :agreement",
        agreement=agreement_id,
        version=version,
        party=party_id,
        no_late_fee_to=no_late_fee_to,
        ages=ageing is not None,
        since=ageing[0] if ageing else None,
        until=ageing[1] if ageing else None,
    )


async def to_pass(uow: UnitOfWork, opens_on: BusinessDate) -> Sequence[Row]:
    """Rentals that end in ownership whose term is over on the day that opens and on which nothing is owed, now or later: agreement, party
    and transfer price. The accounts must be locked."""
    return await uow.rows(_TO_PASS, opens_on=opens_on)


async def keep(uow: UnitOfWork, agreement_ids: Sequence[UUID], on: BusinessDate) -> None:
    """From a date on the thing stays with the lessee, whose it is once everything is paid."""
    await uow.execute(
        "UPDATE billing_account SET kept_on = :on WHERE tenant_id = :tenant AND agreement_id = ANY(cast(:agreements AS uuid[]))",
        on=on,
        agreements=list(agreement_ids),
    )


async def write_off(uow: UnitOfWork, agreement_id: UUID, provision_fen: int) -> None:
    """Mark an account as given up today, with the allowance that stays on it."""
    await uow.execute(
        "UPDATE billing_account SET written_off_on = coalesce(written_off_on, :on), asset_class = 'loss', provision_fen = :provision"
        " WHERE tenant_id = :tenant AND agreement_id = :agreement",
        on=uow.business_date,
        agreement=agreement_id,
        provision=provision_fen,
    )


def _account(row: Row) -> Account:
    return Account(
        agreement_id=row.agreement_id,
        party_id=row.party_id,
        agreement_no=row.agreement_no,
        state=AccountState(row.state),
        family=Family(row.family),
        financing=None if row.financing is None else msgspec.convert(row.financing, Financing),
        version=row.version,
        rent_fen=row.rent_fen,
        period_months=row.period_months,
        period_count=row.period_count,
        early_return_fee_fen=row.early_return_fee_fen,
        grace_days=row.grace_days,
        late_fee_daily_rate=row.late_fee_daily_rate,
        late_fee_ceiling_annual_pct=row.late_fee_ceiling_annual_pct,
        commencement_on=row.commencement_on,
        credit_balance_fen=row.credit_balance_fen,
        overdue_fen=row.overdue_fen,
        days_past_due=row.days_past_due,
        asset_class=AssetClass(row.asset_class),
        provision_fen=row.provision_fen,
        written_off_on=row.written_off_on,
        non_accrual_since=row.non_accrual_since,
        device_value_fen=row.device_value_fen,
        buyout_fen=row.buyout_fen,
        first_rents=row.first_rents,
        ends_in=EndsIn(row.ends_in),
        due_shift=row.due_shift,
        buyout_prices_fen=tuple(row.buyout_prices_fen or ()),
        kept_on=row.kept_on,
        period_days=row.period_days,
        daily=msgspec.convert(row.daily, DailyRent | None),
        has_shares=row.has_shares,
    )
