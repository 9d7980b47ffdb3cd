"""Opening accounts and posting entries."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.kernel.errors import invariant
from xinzu.platform.uow import UnitOfWork
from xinzu.records.ledger.commands.ingest import post_many
from xinzu.records.ledger.model import Account, Entry
from xinzu.records.ledger.rules.journals import journal_of
from xinzu.records.ledger.store import entries as store


async def open_accounts(uow: UnitOfWork, accounts: Sequence[Account]) -> None:
    """Add accounts to the tenant's chart; those that exist are left as they are. Asking again is harmless."""
    await store.insert_accounts(uow, accounts)


async def post(uow: UnitOfWork, entries: Sequence[Entry], *, moves_late: bool = False) -> list[UUID]:
    """Book entries by ``post_many``; returns their ids in order, those booked before among them. For who has a few entries as objects and
    wants to know how they are called.

    Raises what ``post_many`` raises. An entry without postings, an amount that is not above zero, a posting within one account or two
    different entries for one fact are a programmer's error (InvariantBroken).
    """
    if not entries:
        return []
    by_fact: dict[tuple[str, UUID], Entry] = {}
    for entry in entries:
        _check(entry)
        first = by_fact.setdefault((entry.kind, entry.source_id), entry)
        invariant(first == entry, f"two different entries for {entry.kind} {entry.source_id} in one batch")
    journal = journal_of(by_fact.values())
    await post_many(uow, journal, moves_late=moves_late)
    booked = await store.booked_before(uow, journal.facts)
    return [booked[entry.kind, entry.source_id][0] for entry in entries]


def _check(entry: Entry) -> None:
    invariant(entry.postings, f"an entry has at least one posting: {entry.kind} {entry.source_id}")
    invariant(
        entry.effective_on is None or entry.effective_on < entry.business_date,
        f"an entry takes effect before it is booked or says nothing: {entry.kind} {entry.source_id}",
    )
    for posting in entry.postings:
        invariant(
            posting.amount_fen > 0 and posting.debit_account != posting.credit_account,
            f"a posting moves an amount above zero between two accounts: {entry.kind} {entry.source_id}",
        )
