"""Closing accounts of agreements that were called off before they commenced."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.back.billing.commands import moving
from xinzu.back.billing.model import AccountState
from xinzu.back.billing.store import accounts
from xinzu.platform.uow import UnitOfWork


async def call_off_accounts(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> None:
    """No rent will ever run: the accounts are settling, and settled once nothing is held any more.

    Payments gives everything collected back by itself, so no settlement is determined for what is held now; its refunds empty the credit
    balance. Money that comes in later is determined like any that comes after the end. An agreement that was never signed has no account;
    one that commenced is settled by its return. No entry.
    """
    locked = await accounts.lock(uow, list(agreement_ids))
    never_began = [account.agreement_id for account in locked.values() if account.commencement_on is None]
    if never_began:
        await accounts.move(uow, never_began, AccountState.SETTLING)
        standings = await moving.restate(uow, never_began)
        await moving.close_settled(uow, list(standings.values()))
