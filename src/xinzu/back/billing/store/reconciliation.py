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

# Account → the sum over rents i that it must show. What rents hold that is due and not earned, where their last day is still to come: what
# has ended and is not earned would show as a difference.
_OF_RENTS: dict[str, str] = {
    chart.RECEIVABLE: f"CASE WHEN {_DUE} THEN {_OPEN} ELSE 0 END",
    chart.DEFERRED_RENT: (
        f"CASE WHEN i.to_on > r.through_on THEN {_net('i.amount_fen', _LEASING)} - {_net('i.earned_fen', _LEASING)} ELSE 0 END"
    ),
}
_RENTS = f"""
SELECT {", ".join(f'sum({rule}) AS "{account}"' for account, rule in _OF_RENTS.items())}
FROM billing_instalment i CROSS JOIN reached r
WHERE i.tenant_id = :tenant AND i.role = 'rent'
  AND ({_DUE} OR i.state = 'paid' AND i.to_on > r.through_on)
"""  # noqa: S608 (constants only)

# The same of the legs of leases and loans, with their account a.
_OF_FINANCED: dict[str, str] = {
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
}
_FINANCED = f"""
SELECT {", ".join(f'sum({rule}) AS "{account}"' for account, rule in _OF_FINANCED.items())}
FROM billing_instalment i JOIN billing_account a ON a.tenant_id = i.tenant_id AND a.agreement_id = i.agreement_id
WHERE i.tenant_id = :tenant AND i.role <> 'rent' AND ({_DUE} OR {_TO_COME})
"""  # noqa: S608 (constants only)

# What is settled has nothing open, so that the partial indexes of what is open hold it all.
_OTHERS = f"""
SELECT (SELECT sum(amount_fen - paid_fen - cancelled_fen) FROM billing_charge
        WHERE tenant_id = :tenant AND amount_fen > paid_fen + cancelled_fen) AS "{chart.RECEIVABLE}",
       (SELECT sum(amount_fen - allocated_fen - refunded_fen) FROM billing_receipt
        WHERE tenant_id = :tenant AND amount_fen > allocated_fen + refunded_fen AND reversed_on IS NULL) AS "{chart.CREDIT_BALANCE}",
       (SELECT sum(provision_fen) FROM billing_account
        WHERE tenant_id = :tenant AND family = 'loan' AND provision_fen > 0) AS "{chart.LOAN_ALLOWANCE}",
       (SELECT sum(provision_fen) FROM billing_account
        WHERE tenant_id = :tenant AND family <> 'loan' AND provision_fen > 0) AS "{chart.ALLOWANCE}",
       (SELECT sum(amount_fen) FROM (SELECT amount_fen FROM billing_share_due WHERE tenant_id = :tenant
                                     UNION ALL SELECT -amount_fen FROM billing_payout WHERE tenant_id = :tenant) AS shares)
           AS "{chart.PARTNER_PAYABLE}"
"""  # noqa: S608 (constants only)

_OF_OTHERS = (chart.RECEIVABLE, chart.CREDIT_BALANCE, chart.LOAN_ALLOWANCE, chart.ALLOWANCE, chart.PARTNER_PAYABLE)
ACCOUNTS = tuple(dict.fromkeys((*_OF_RENTS, *_OF_FINANCED, *_OF_OTHERS)))


def _sum(account: str) -> str:
    parts = (("rents", _OF_RENTS), ("financed", _OF_FINANCED), ("others", _OF_OTHERS))
    return " + ".join(f'coalesce({name}."{account}", 0)' for name, accounts in parts if account in accounts)


_SUB_LEDGER = f"""
WITH reached AS MATERIALIZED (
    SELECT coalesce((SELECT max(business_date) FROM billing_day WHERE tenant_id = :tenant), '-infinity') AS through_on
)
SELECT {", ".join(f'cast({_sum(account)} AS bigint) AS "{account}"' for account in ACCOUNTS)}
FROM ({_RENTS}) AS rents CROSS JOIN ({_FINANCED}) AS financed CROSS JOIN ({_OTHERS}) AS others
"""  # noqa: S608 (constants only)


async def sub_ledger(read: ReadSession) -> dict[str, int]:
    """Account code → what billing's items, receipts and accounts say it stands at, in fen on its normal side. Reads what is open or still
    to be earned, and of leases and loans what is to come. One statement."""
    row = await read.row(_SUB_LEDGER)
    return {} if row is None else dict(row)
