"""SQL that says what every account of the ledger must stand at, from billing's own tables."""

from __future__ import annotations

from xinzu.back.billing.rules import chart
from xinzu.back.billing.rules.vat import RATE_PCT, VAT_FEN_SQL, Supply
from xinzu.platform.uow import ReadSession

_LEASING, _LENDING = RATE_PCT[Supply.MOVABLE_LEASING], RATE_PCT[Supply.LENDING]


def _vat(fen: str, rate_pct: int) -> str:
    return VAT_FEN_SQL.format(gross_fen=fen, rate_pct=rate_pct)


def _net(fen: str, rate_pct: int) -> str:
    return f"({fen} - {_vat(fen, rate_pct)})"


_DUE = "i.state IN ('due', 'overdue')"
_TO_COME = "i.state = 'scheduled'"
_OPEN = "i.amount_fen - i.paid_fen - i.cancelled_fen"

# Account → the sum over legs i (with their account a) that it must show.
_OF_LEGS: dict[str, str] = {
    chart.RECEIVABLE: f"CASE WHEN {_DUE} AND (a.family <> 'loan' OR i.role = 'fee') THEN {_OPEN} ELSE 0 END",
    chart.INTEREST_RECEIVABLE: f"CASE WHEN {_DUE} AND a.family = 'loan' AND i.role = 'interest' THEN {_OPEN} ELSE 0 END",
    chart.LOAN_PRINCIPAL: f"CASE WHEN a.family = 'loan' AND i.role = 'principal' THEN {_OPEN} ELSE 0 END",
    chart.INTEREST_ACCRUED: f"CASE WHEN {_TO_COME} AND a.family = 'loan' AND i.role = 'interest' THEN i.earned_fen ELSE 0 END",
    chart.LEASE_RECEIVABLE: (
        f"CASE WHEN {_TO_COME} AND a.family = 'finance_lease' AND i.role IN ('principal', 'interest') THEN i.amount_fen ELSE 0 END"
    ),
    chart.UNEARNED_INCOME: (
        f"CASE WHEN {_TO_COME} AND a.family = 'finance_lease' AND i.role = 'interest'"
        f" THEN {_net('i.amount_fen', _LEASING)} - {_net('i.earned_fen', _LEASING)} ELSE 0 END"
    ),
    chart.VAT_DEFERRED: (
        f"CASE WHEN NOT {_TO_COME} THEN i.suspended_vat_fen WHEN a.family = 'finance_lease' AND i.role IN ('principal', 'interest')"
        f" THEN {_vat('i.amount_fen', _LEASING)}"
        f" WHEN a.family = 'loan' AND i.role = 'interest' THEN {_vat('i.earned_fen', _LENDING)} ELSE 0 END"
    ),
    chart.INTEREST_SUSPENDED: f"CASE WHEN a.family = 'loan' THEN {_net('i.suspended_fen', _LENDING)} ELSE 0 END",
    chart.LEASE_INCOME_SUSPENDED: f"CASE WHEN a.family = 'finance_lease' THEN {_net('i.suspended_fen', _LEASING)} ELSE 0 END",
    chart.DEFERRED_RENT: (
        f"CASE WHEN i.role = 'rent' AND i.state IN ('due', 'overdue', 'paid')"
        f" THEN {_net('i.amount_fen', _LEASING)} - {_net('i.earned_fen', _LEASING)} ELSE 0 END"
    ),
}

# Legs of which every rule above makes nothing (paid and earned, fallen away, rents to come) are most of a book: they are passed over.
_COUNTS = f"({_DUE} OR {_TO_COME} AND i.role <> 'rent' OR i.role = 'rent' AND i.state = 'paid' AND i.earned_fen < i.amount_fen)"

_LEGS = f"""
SELECT {", ".join(f'cast(coalesce(sum({rule}), 0) AS bigint) AS "{account}"' for account, rule in _OF_LEGS.items())}
FROM billing_instalment i JOIN billing_account a ON a.tenant_id = i.tenant_id AND a.agreement_id = i.agreement_id
WHERE i.tenant_id = :tenant AND {_COUNTS}
"""  # noqa: S608 (constants only)

_OTHERS = f"""
SELECT cast(coalesce((SELECT sum(amount_fen - paid_fen - cancelled_fen) FROM billing_charge WHERE tenant_id = :tenant), 0) AS bigint)
           AS charges_fen,
       cast(coalesce((SELECT sum(amount_fen - allocated_fen - refunded_fen) FROM billing_receipt
                      WHERE tenant_id = :tenant AND reversed_on IS NULL), 0) AS bigint) AS "{chart.CREDIT_BALANCE}",
       cast(coalesce(sum(provision_fen) FILTER (WHERE family = 'loan'), 0) AS bigint) AS "{chart.LOAN_ALLOWANCE}",
       cast(coalesce(sum(provision_fen) FILTER (WHERE family <> 'loan'), 0) AS bigint) AS "{chart.ALLOWANCE}"
FROM billing_account WHERE tenant_id = :tenant
"""  # noqa: S608 (constants only)


async def sub_ledger(read: ReadSession) -> dict[str, int]:
    """Account code → what billing's items, receipts and accounts say it stands at, in fen on its normal side. Reads every leg."""
    legs, others = await read.row(_LEGS), await read.row(_OTHERS)
    if legs is None or others is None:
        return {}
    sums = dict(legs._mapping) | dict(others._mapping)
    sums[chart.RECEIVABLE] += sums.pop("charges_fen")
    return sums
