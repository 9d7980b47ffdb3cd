"""Whether the books say what billing says."""

from __future__ import annotations

from datetime import date

import msgspec

from xinzu.back.billing.store import reconciliation
from xinzu.platform.uow import ReadSession
from xinzu.records.ledger import api as ledger

# Rents that fall due tomorrow are booked on tomorrow's date by the close of today.
_WHATEVER_IS_BOOKED = date(9999, 12, 31)


class Reconciled(msgspec.Struct, kw_only=True):
    """An account of the ledger beside what billing's items make of it; ``difference_fen`` is zero unless something is wrong."""

    account: str
    ledger_fen: int
    billing_fen: int
    difference_fen: int


async def reconcile(read: ReadSession) -> list[Reconciled]:
    """Every account that billing keeps, in the ledger and in its own tables, by code. Reads every item of the tenant once."""
    trial = await ledger.trial_balance(read, _WHATEVER_IS_BOOKED)
    booked = {line.account.code: line.balance_fen for line in trial.lines}
    return [
        Reconciled(
            account=account,
            ledger_fen=booked.get(account, 0),
            billing_fen=billing_fen,
            difference_fen=booked.get(account, 0) - billing_fen,
        )
        for account, billing_fen in sorted((await reconciliation.sub_ledger(read)).items())
    ]
