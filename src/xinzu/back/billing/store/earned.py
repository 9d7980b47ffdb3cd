"""SQL of income over time: what legs have earned, what of it is suspended, and what has not ended yet has earned by a date."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from xinzu.back.billing.model import Suspended
from xinzu.back.billing.rules.effective_interest import EARNED_FEN_SQL
from xinzu.back.billing.rules.vat import RATE_PCT, VAT_FEN_SQL, Supply
from xinzu.back.billing.store import items
from xinzu.kernel.time import BusinessDate
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

# The rule is rules.effective_interest.earned_fen (a test holds the two together). A leg is earned to its end once its last day is over.
_EARNED = EARNED_FEN_SQL.format(leg_fen="i.amount_fen", from_on="i.from_on", to_on="i.to_on", on="cast(:on AS date)")
_EARN = f"""
UPDATE billing_instalment i SET earned_fen = {_EARNED}
FROM billing_account a
WHERE i.tenant_id = :tenant AND i.role IN ('rent', 'interest') AND i.state <> 'cancelled' AND i.earned_fen < i.amount_fen
  AND i.from_on <= :on AND (i.to_on <= :on OR :unfinished)
  AND i.earned_fen < {_EARNED}
  AND a.tenant_id = :tenant AND a.agreement_id = i.agreement_id AND a.commencement_on IS NOT NULL AND a.non_accrual_since IS NULL
  AND i.agreement_id = ANY(cast(:agreements AS uuid[]))
RETURNING i.id, i.agreement_id, i.role, a.family, old.earned_fen AS before_fen, new.earned_fen AS after_fen
"""  # noqa: S608 (constants only)

# Days are closed in order and none is left out, so that what ends on a day is earned by that day's close and by no later one. Accrual that
# resumes, and what begins or changes late, catch up by themselves (_EARN).
_STANDING = "i.state IN ('scheduled', 'due', 'overdue', 'paid')"
_EARN_ENDED = f"""
UPDATE billing_instalment i SET earned_fen = i.amount_fen
FROM billing_account a
WHERE i.tenant_id = :tenant AND i.role IN ('rent', 'interest') AND {_STANDING} AND i.to_on = :on AND i.earned_fen < i.amount_fen
  AND a.tenant_id = :tenant AND a.agreement_id = i.agreement_id AND a.commencement_on IS NOT NULL AND a.non_accrual_since IS NULL
RETURNING i.agreement_id, i.role, a.family, old.earned_fen AS before_fen, new.earned_fen AS after_fen
"""  # noqa: S608 (constants only)

# What unfinished periods have earned beyond what stands on their legs, by family, with the VAT in it: of each leg as if it were booked by
# itself (rules.vat.vat_of_growth_fen). A pure function of the legs and the date: nothing is written. Only interest can be stopped, so that
# rents need not ask their account.
_UNFINISHED = f"i.tenant_id = :tenant AND {_STANDING} AND i.to_on > :on AND i.from_on <= :on"


def _grown_vat(supply: Supply) -> str:
    after, before = (VAT_FEN_SQL.format(gross_fen=fen, rate_pct=RATE_PCT[supply]) for fen in ("g.after_fen", "g.before_fen"))
    return f"{after} - {before}"


_ACCRUED = f"""
SELECT g.family, cast(sum(g.after_fen - g.before_fen) AS bigint) AS gross_fen,
       cast(sum(CASE WHEN g.family = 'loan' THEN {_grown_vat(Supply.LENDING)}
                     ELSE {_grown_vat(Supply.MOVABLE_LEASING)} END) AS bigint) AS vat_fen
FROM (
    SELECT 'rental' AS family, i.earned_fen AS before_fen, {_EARNED} AS after_fen
    FROM billing_instalment i WHERE {_UNFINISHED} AND i.role = 'rent'
    UNION ALL
    SELECT a.family, i.earned_fen, {_EARNED}
    FROM billing_instalment i JOIN billing_account a ON a.tenant_id = i.tenant_id AND a.agreement_id = i.agreement_id
    WHERE {_UNFINISHED} AND i.role = 'interest' AND a.non_accrual_since IS NULL
) AS g WHERE g.after_fen > g.before_fen GROUP BY g.family ORDER BY g.family
"""  # noqa: S608 (constants only)


# Of an agreement whose accrual is stopped: what was earned of interest to come, and of what is due and open, is income no more.
_SUSPEND = """
UPDATE billing_instalment i
SET earned_fen = CASE WHEN i.state = 'scheduled' THEN 0
                      ELSE i.earned_fen - (i.amount_fen - i.paid_fen - i.cancelled_fen - i.suspended_fen) END,
    suspended_fen = CASE WHEN i.state = 'scheduled' THEN 0 ELSE i.amount_fen - i.paid_fen - i.cancelled_fen END
FROM billing_account a
WHERE a.tenant_id = :tenant AND a.non_accrual_since IS NOT NULL AND i.tenant_id = :tenant AND i.agreement_id = a.agreement_id
  AND i.role = 'interest' AND CASE i.state WHEN 'scheduled' THEN i.earned_fen > 0
      ELSE i.state IN ('due', 'overdue') AND i.amount_fen - i.paid_fen - i.cancelled_fen > i.suspended_fen END
RETURNING i.id, i.agreement_id, a.family, new.state = 'scheduled' AS is_to_come, old.earned_fen AS earned_before_fen,
          new.earned_fen AS earned_fen, old.suspended_fen AS before_fen, new.suspended_fen AS after_fen
"""

_RECOGNISE = """
UPDATE billing_instalment i SET earned_fen = i.earned_fen + i.suspended_fen, suspended_fen = 0, suspended_vat_fen = 0
FROM billing_account a
WHERE i.tenant_id = :tenant AND i.agreement_id = ANY(cast(:agreements AS uuid[])) AND i.suspended_fen > 0
  AND a.tenant_id = :tenant AND a.agreement_id = i.agreement_id
RETURNING i.id, i.agreement_id, a.family, old.suspended_fen AS before_fen, new.suspended_fen AS after_fen,
          old.suspended_vat_fen AS vat_before_fen, new.suspended_vat_fen AS vat_after_fen
"""


async def earn(uow: UnitOfWork, on: BusinessDate, agreement_ids: Sequence[UUID], *, unfinished: bool = False) -> Sequence[Row]:
    """Earn rents and interest of these agreements up to the close of a date: legs whose last day is over, and with ``unfinished`` every leg
    that has begun. Returns each leg that grew, with what was earned before and after."""
    return await uow.rows(_EARN, on=on, unfinished=unfinished, agreements=list(agreement_ids))


def earning(uow: UnitOfWork, on: BusinessDate) -> AsyncIterator[Sequence[Row]]:
    """Earn the legs whose last day a date is, of all agreements, a part of the rows at a time."""
    return uow.batches(_EARN_ENDED, items.ROWS_AT_ONCE, on=on)


async def accrued(read: ReadSession, on: BusinessDate) -> Sequence[Row]:
    """What unfinished periods have earned by the close of a date and no leg says yet, by family: in all, and the VAT in it. In fen."""
    return await read.rows(_ACCRUED, on=on)


async def suspend(uow: UnitOfWork) -> Sequence[Row]:
    """Take interest of agreements whose accrual is stopped out of income; returns the legs, with what was and is earned and suspended."""
    return await uow.rows(_SUSPEND)


async def recognise(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> list[Suspended]:
    """Make what is suspended of these agreements income; returns it."""
    return items.suspended(await uow.rows(_RECOGNISE, agreements=list(agreement_ids))) if agreement_ids else []
