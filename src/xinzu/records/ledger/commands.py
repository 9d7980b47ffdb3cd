"""Use cases of the ledger: open accounts, post entries."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.kernel.errors import invariant
from xinzu.kernel.ids import new_id
from xinzu.platform.uow import UnitOfWork
from xinzu.records.ledger import store
from xinzu.records.ledger.errors import BooksNotOpen, EntryDiffers
from xinzu.records.ledger.model import Account, Entry


async def open_accounts(uow: UnitOfWork, accounts: Sequence[Account]) -> None:
    """Add accounts to the tenant's chart; those that exist are left as they are. Asking again is harmless."""
    await store.insert_accounts(uow, accounts)


async def post(uow: UnitOfWork, entries: Sequence[Entry]) -> list[UUID]:
    """Book entries; returns their ids in order. Two inserts, whatever their number.

    A fact (kind, source_id) that stands in the books already is not booked again: its entry's id is returned. Call it once per
    transaction and after every other row lock: from here to the commit, posting of the tenant waits (entry numbers have no gap).

    Raises BooksNotOpen before ``open_accounts``, EntryDiffers when a booked fact comes again with another total. An entry without
    postings, an amount that is not above zero or a posting within one account is a programmer's error (InvariantBroken).
    """
    if not entries:
        return []
    by_fact: dict[tuple[str, UUID], Entry] = {}
    for entry in entries:
        _check(entry)
        first = by_fact.setdefault((entry.kind, entry.source_id), entry)
        invariant(first == entry, f"two different entries for {entry.kind} {entry.source_id} in one batch")
    unique = list(by_fact.values())
    ids = [new_id() for _ in unique]
    fresh = await store.insert_entries(uow, ids, unique)
    lines = [
        (entry_id, line, posting)
        for entry_id, entry in zip(ids, unique, strict=True)
        if entry_id in fresh
        for line, posting in enumerate(entry.postings, start=1)
    ]
    if lines:
        await store.insert_postings(uow, lines)
    id_of = {(entry.kind, entry.source_id): entry_id for entry_id, entry in zip(ids, unique, strict=True)}
    if len(fresh) < len(unique):
        id_of |= await _booked_ids(uow, [entry for entry_id, entry in zip(ids, unique, strict=True) if entry_id not in fresh])
    return [id_of[entry.kind, entry.source_id] for entry in entries]


def _check(entry: Entry) -> None:
    invariant(entry.postings, f"an entry has at least one posting: {entry.kind} {entry.source_id}")
    for posting in entry.postings:
        invariant(
            posting.amount_fen > 0 and posting.debit_account != posting.credit_account,
            f"a posting moves an amount above zero between two accounts: {entry.kind} {entry.source_id}",
        )


async def _booked_ids(uow: UnitOfWork, entries: Sequence[Entry]) -> dict[tuple[str, UUID], UUID]:
    booked = await store.booked_before(uow, entries)
    ids = {}
    for entry in entries:
        fact = (entry.kind, entry.source_id)
        if fact not in booked:
            raise BooksNotOpen
        entry_id, total_fen = booked[fact]
        if total_fen != entry.total_fen:
            raise EntryDiffers(booked_fen=total_fen, given_fen=entry.total_fen)
        ids[fact] = entry_id
    return ids
