"""A book of rentals as an older system would hand it over: set-based, through the owner, with the balances it brings into the ledger.

``agreements`` rentals of ``PERIODS`` monthly rents in advance, of which the first five or six have fallen due and are paid. One in so many
is in arrears with its last rent, with the late fee it has run up. Everything stands as the close of ``TAKEN_OVER_ON`` would leave it, so
that the next day can be closed and books and billing agree.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from xinzu.back.billing import api as billing
from xinzu.back.billing.model import AssetClass
from xinzu.back.billing.rules import chart
from xinzu.back.billing.rules.asset_class import MEASURES_2023
from xinzu.back.billing.rules.effective_interest import EARNED_FEN_SQL
from xinzu.back.billing.rules.vat import RATE_PCT, VAT_FEN_SQL, Supply
from xinzu.kernel.ids import new_id
from xinzu.kernel.terms import AgreementTerms
from xinzu.platform.db import set_tenant
from xinzu.platform.uow import UnitOfWork

PERIODS = 12
RENT_FEN = 29_900
GRACE_DAYS = 3
DAILY_RATE = "0.0003"
TERMS = AgreementTerms(
    product_id=UUID(int=1),
    plan_id=UUID(int=2),
    product_name="珊瑚手机 12",
    period_months=1,
    period_count=PERIODS,
    rent_fen=RENT_FEN,
    deposit_fen=300_000,
    device_value_fen=500_000,
    buyout_fen=None,
    early_return_fee_fen=RENT_FEN,
    late_fee_daily_rate=DAILY_RATE,
    grace_days=GRACE_DAYS,
    restriction_clause_version="2026-01",
    annual_cost_pct=None,
)
TAKEN_OVER_ON = date(2026, 4, 26)
OPENS_ON = TAKEN_OVER_ON + timedelta(days=1)
MONTH_BEFORE_ENDED_ON = date(2026, 3, 31)
ARREARS_SPREAD = 30  # so that arrears are spread over all days on which rents fall due


@dataclass(frozen=True, slots=True)
class Shape:
    """When rents fall due and how many are late: every agreement begins on one of ``begin_days`` days, one in ``late_one_in`` is late."""

    name: str
    first_begins_on: date
    begin_days: int
    late_one_in: int


# The close of 27 April opens the 28th: everything falls due then, or a thirtieth on that day and on each other.
ALL_ON_ONE_DAY = Shape("everything falls due, 5 % in arrears", date(2025, 11, 28), 1, 20)
MANY_IN_ARREARS = Shape("1/30 falls due, 20 % in arrears", date(2025, 11, 1), 30, 5)
ORDINARY = Shape("1/30 falls due, 2 % in arrears", date(2025, 11, 1), 30, 50)


def _net(fen: str) -> str:
    return f"({fen} - {VAT_FEN_SQL.format(gross_fen=fen, rate_pct=RATE_PCT[Supply.MOVABLE_LEASING])})"


_EARNED = EARNED_FEN_SQL.format(leg_fen=f"cast({RENT_FEN} AS bigint)", from_on="l.from_on", to_on="l.to_on", on="l.earned_on")
_CLASS = (
    f"(ARRAY[{', '.join(repr(each.value) for each in AssetClass)}])"
    f"[1{''.join(f' + (l.days > {line})::integer' for line in MEASURES_2023.lines)}]"
)

_DRAFT = """
CREATE TEMPORARY TABLE draft ON COMMIT DROP AS
SELECT n, uuidv7() AS agreement_id, uuidv7() AS party_id, begins_on, is_late,
       CASE WHEN is_late THEN begins_on + (last - 1) * interval '1 month' END::date AS late_from_on
FROM (SELECT n, begins_on, n / $4 % $5 = 0 AS is_late,
             (SELECT max(k) FROM generate_series(1, 12) AS k WHERE (begins_on + (k - 1) * interval '1 month')::date <= $6) AS last
      FROM (SELECT n, cast($2 AS date) + n % $3 AS begins_on FROM generate_series(0, $1 - 1) AS n) AS a) AS b
"""

# What differs from the pattern, column by column; ``l`` is the draft. Fees run from the day after the grace days.
_ACCOUNT = {
    "tenant_id": "$1",
    "agreement_id": "l.agreement_id",
    "party_id": "l.party_id",
    "agreement_no": "'B' || l.n",
    "commencement_on": "l.begins_on",
    "overdue_fen": f"CASE WHEN l.days > 0 THEN {RENT_FEN} + trunc({RENT_FEN} * (l.days - {GRACE_DAYS}) * {DAILY_RATE}) ELSE 0 END",
    "days_past_due": "l.days",
    "asset_class": _CLASS,
}
_ACCOUNTS_FROM = f"""
(SELECT *, CASE WHEN $2 - late_from_on > {GRACE_DAYS} THEN $2 - late_from_on ELSE 0 END AS days FROM draft) AS l ORDER BY l.n
"""

_LEG = {
    "tenant_id": "$1",
    "id": "uuidv7()",
    "agreement_id": "l.agreement_id",
    "number": "l.k",
    "from_on": "l.from_on",
    "to_on": "l.to_on",
    "due_on": "l.from_on",
    "paid_fen": f"CASE WHEN l.from_on <= $3 AND l.from_on IS DISTINCT FROM l.late_from_on THEN {RENT_FEN} ELSE 0 END",
    "earned_fen": _EARNED,
    "state": (
        "CASE WHEN l.from_on > $3 THEN 'scheduled' WHEN l.from_on IS DISTINCT FROM l.late_from_on THEN 'paid'"
        f" WHEN $2 - l.from_on > {GRACE_DAYS} THEN 'overdue' ELSE 'due' END"
    ),
}
_LEGS_FROM = f"""
(SELECT p.*, CASE WHEN p.to_on <= $2 THEN p.to_on ELSE $4 END AS earned_on
 FROM (SELECT d.n, d.agreement_id, d.late_from_on, k, (d.begins_on + (k - 1) * interval '1 month')::date AS from_on,
              (d.begins_on + k * interval '1 month')::date - 1 AS to_on
       FROM draft d CROSS JOIN generate_series(1, {PERIODS}) AS k) AS p) AS l
"""

_LATE_FEES = f"""
INSERT INTO billing_charge (tenant_id, id, agreement_id, kind, instalment_id, due_on, amount_fen, paid_fen, cancelled_fen, fen_days,
    raised_on, why)
SELECT $1, uuidv7(), i.agreement_id, 'late_fee', i.id, i.due_on, trunc({RENT_FEN} * l.days * {DAILY_RATE}), 0, 0, {RENT_FEN} * l.days,
       i.due_on + {GRACE_DAYS} + 1,
       jsonb_build_object('segments', jsonb_build_array(jsonb_build_object(
           'from_on', i.due_on + {GRACE_DAYS} + 1, 'to_on', cast($2 AS date), 'base_fen', {RENT_FEN})))
FROM billing_instalment i CROSS JOIN LATERAL (SELECT $2 - i.due_on - {GRACE_DAYS} AS days) AS l
WHERE i.tenant_id = $1 AND i.state = 'overdue'
"""

# What the old system's balances are: rents paid and not yet earned, and what is open. One entry for each agreement that has any.
_BALANCES = f"""
CREATE TEMPORARY TABLE balance ON COMMIT DROP AS
SELECT agreement_id, '{chart.CLEARING}' AS debit_account, '{chart.DEFERRED_RENT}' AS credit_account,
       sum({_net("amount_fen")} - {_net("earned_fen")}) AS fen
FROM billing_instalment WHERE tenant_id = $1 AND state IN ('due', 'overdue', 'paid') AND earned_fen < amount_fen GROUP BY 1
UNION ALL SELECT agreement_id, '{chart.RECEIVABLE}', '{chart.CLEARING}', amount_fen
FROM billing_instalment WHERE tenant_id = $1 AND state IN ('due', 'overdue')
UNION ALL SELECT agreement_id, '{chart.RECEIVABLE}', '{chart.CLEARING}', amount_fen
FROM billing_charge WHERE tenant_id = $1 AND amount_fen > 0
"""

_ENTRIES = """
INSERT INTO ledger_entry (tenant_id, id, entry_no, business_date, kind, source_id, memo, recorded_at)
SELECT $1, agreement_id, row_number() OVER (ORDER BY agreement_id), $2, 'bench.taken_over', agreement_id, '期初余额', now()
FROM balance GROUP BY agreement_id
"""

_POSTINGS = """
INSERT INTO ledger_posting (tenant_id, entry_id, line, debit_account, credit_account, amount_fen, subject_id)
SELECT $1, agreement_id, row_number() OVER (PARTITION BY agreement_id), debit_account, credit_account, fen, agreement_id FROM balance
"""


async def write_pattern(uow: UnitOfWork, begins_on: date) -> None:
    """The rental that all of a book are copies of, written by the product for a tenant of its own."""
    agreement_id = new_id()
    await billing.open_accounts(uow, [billing.Opening(agreement_id, new_id(), "B", TERMS, begins_on)])
    await billing.issue_schedules(uow, [billing.Commencement(agreement_id, begins_on)])


async def write_book(owner: asyncpg.Connection, pattern_tenant_id: int, tenant_id: int, agreements: int, shape: Shape) -> None:
    """Write a tenant's book; its ledger must be open and empty. One transaction, then ANALYZE, as autovacuum would within a minute."""
    async with owner.transaction():
        await owner.execute(set_tenant(pattern_tenant_id))
        await owner.execute("CREATE TEMPORARY TABLE account ON COMMIT DROP AS SELECT * FROM billing_account")
        await owner.execute(
            f"CREATE TEMPORARY TABLE leg ON COMMIT DROP AS SELECT * FROM billing_instalment WHERE number = {PERIODS}"
        )
        await owner.execute(set_tenant(tenant_id))
        await owner.execute("SET LOCAL session_replication_role = replica")  # every reference below is right as it is made
        await owner.execute(
            _DRAFT, agreements, shape.first_begins_on, shape.begin_days, ARREARS_SPREAD, shape.late_one_in, OPENS_ON
        )
        await owner.execute(
            await _copies(owner, "billing_account", "account", _ACCOUNT, _ACCOUNTS_FROM), tenant_id, TAKEN_OVER_ON
        )
        async with _indexed_afterwards(owner, "billing_instalment"):
            await owner.execute(
                await _copies(owner, "billing_instalment", "leg", _LEG, _LEGS_FROM),
                *(tenant_id, TAKEN_OVER_ON, OPENS_ON, MONTH_BEFORE_ENDED_ON),
            )
        await owner.execute(_LATE_FEES, tenant_id, TAKEN_OVER_ON)
        await owner.execute(_BALANCES, tenant_id)
        await owner.execute(_ENTRIES, tenant_id, TAKEN_OVER_ON)
        await owner.execute(_POSTINGS, tenant_id)
        await owner.execute(
            "UPDATE ledger_book SET last_entry_no = (SELECT count(*) FROM ledger_entry WHERE tenant_id = $1) WHERE tenant_id = $1",
            tenant_id,
        )
        await owner.execute(
            "INSERT INTO billing_day (tenant_id, business_date, fell_due_count, became_overdue_count, delinquent_count, late_fee_fen,"
            " income_fen, accrued_fen, reclassified_count, provision_fen, differing_count, closed_at)"
            " VALUES ($1, $2, 0, 0, 0, 0, 0, 0, 0, 0, 0, now())",
            tenant_id,
            TAKEN_OVER_ON,
        )
    await owner.execute("ANALYZE billing_account, billing_instalment, billing_charge, ledger_entry, ledger_posting")


@asynccontextmanager
async def _indexed_afterwards(owner: asyncpg.Connection, table: str) -> AsyncIterator[None]:
    """Fill a table before its indexes are made, as far as no constraint stands on them."""
    indexes = await owner.fetch(
        "SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i"
        " WHERE i.indrelid = $1::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)",
        table,
    )
    for index in indexes:
        await owner.execute(f"DROP INDEX {index['name']}")
    yield
    await owner.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for index in indexes:
        await owner.execute(index["definition"])


async def _copies(owner: asyncpg.Connection, table: str, pattern: str, differing: Mapping[str, str], source: str) -> str:
    """The statement that writes copies of a pattern's row."""
    columns = await owner.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        table,
    )
    names = [column["attname"] for column in columns]
    values = [differing.get(name, f"pattern.{name}") for name in names]
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {pattern} AS pattern CROSS JOIN {source}"
