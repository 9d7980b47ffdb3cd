"""Following money with partners' shares 分账."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.back.billing.commands import booking
from xinzu.back.billing.rules import partner_shares, postings
from xinzu.back.billing.store import accounts
from xinzu.back.billing.store import partners as store
from xinzu.kernel.ids import new_id
from xinzu.platform.uow import UnitOfWork
from xinzu.records.ledger import api as ledger

BATCH = 200


async def follow_shares(uow: UnitOfWork, agreement_ids: Sequence[UUID]) -> list[ledger.Entry | None]:
    """Bring what is owed to partners in line with what has been received on agreements in which they have shares. The accounts must be
    locked and the money allocated; asking again changes nothing. Four statements, none without agreements.

    Returns the entries: cost of partners against the liability to each, the other way round where less stands received than before.
    """
    if not agreement_ids:
        return []
    shares = await store.shares_of(uow, agreement_ids)
    received = await store.received_of(uow, agreement_ids)
    stands = await store.stands_of(uow, agreement_ids)
    dues = [
        store.Due(new_id(), agreement_id, share.partner_id, share.id, item.item_id, max(item.received_fen, 0), fen)
        for agreement_id in sorted(shares)
        for share, item, fen in partner_shares.moved(
            received.get(agreement_id, []), [share for share, _ in shares[agreement_id]], stands.get(agreement_id, {})
        )
    ]
    if not dues:
        return []
    await store.insert_dues(uow, dues)
    by_agreement: dict[UUID, list[store.Due]] = {}
    for due in dues:
        by_agreement.setdefault(due.agreement_id, []).append(due)
    return [
        booking.entry(
            "billing.partner_share",
            moved[0].id,
            uow.business_date,
            [(due.partner_id, postings.partner_share(due.amount_fen)) for due in moved],
        )
        for moved in by_agreement.values()
    ]


async def follow_all_shares(uow: UnitOfWork, after: UUID | None = None) -> UUID | None:
    """Follow up a batch of sharing agreements, for what moved money without a receipt: credit set against what fell due at a close, a
    return. Returns the last agreement seen, None when there are no more."""
    agreement_ids = await store.sharing_agreements(uow, after, BATCH)
    if not agreement_ids:
        return None
    await accounts.lock(uow, agreement_ids)
    await booking.post(uow, await follow_shares(uow, agreement_ids))
    return agreement_ids[-1]
