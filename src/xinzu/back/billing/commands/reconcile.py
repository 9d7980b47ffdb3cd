"""Whether the books say what billing says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from xinzu.back.billing.rules import chart
from xinzu.back.billing.store import reconciliation
from xinzu.back.billing.store.days import Comparison
from xinzu.platform.uow import ReadSession, UnitOfWork
from xinzu.records.ledger import api as ledger

# Rents that fall due tomorrow are booked on tomorrow's date by the close of today.
_WHATEVER_IS_BOOKED = date(9999, 12, 31)
_SIGN = {line.code: 1 if line.normal_side == "debit" else -1 for line in chart.LINES}


class Reconciled(msgspec.Struct, kw_only=True):
    """An account of the ledger beside what billing's items make of it; ``difference_fen`` is zero unless something is wrong."""

    account: str
    ledger_fen: int
    billing_fen: int
    difference_fen: int


async def reconcile(read: ReadSession) -> list[Reconciled]:
    """Every account that billing keeps, in the ledger and in its own tables, by code. Both sides are summed up anew."""
    return _beside(await _booked(read), await reconciliation.sub_ledger(read))


async def compare(uow: UnitOfWork, before: Comparison | None) -> tuple[Comparison, list[Reconciled]]:
    """The same at a close, when all is posted; returns also how the ledger stands. Its side is counted on from the last comparison by the
    entries booked since, so that it costs what was booked and not what was ever booked; without one it is summed up anew."""
    moved = await ledger.moved_since(uow, None if before is None else before.entry_no)
    booked = (
        await _booked(uow)
        if before is None
        else {
            account: before.ledger_fen.get(account, 0) + _SIGN[account] * moved.net_debit_fen.get(account, 0)
            for account in reconciliation.ACCOUNTS
        }
    )
    return Comparison(moved.last_entry_no, booked), _beside(booked, await reconciliation.sub_ledger(uow))


async def _booked(read: ReadSession) -> dict[str, int]:
    trial = await ledger.trial_balance(read, _WHATEVER_IS_BOOKED)
    balances_fen = {line.account.code: line.balance_fen for line in trial.lines}
    return {account: balances_fen.get(account, 0) for account in reconciliation.ACCOUNTS}


def _beside(booked: Mapping[str, int], billing: Mapping[str, int]) -> list[Reconciled]:
    return [
        Reconciled(
            account=account,
            ledger_fen=booked[account],
            billing_fen=billing[account],
            difference_fen=booked[account] - billing[account],
        )
        for account in sorted(billing)
    ]
