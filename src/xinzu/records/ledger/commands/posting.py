"""Opening accounts and posting entries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from xinzu.kernel.errors import invariant
from xinzu.kernel.ids import new_id
from xinzu.platform.uow import UnitOfWork
from xinzu.records.ledger.errors import BooksNotOpen, EntryDiffers, PeriodClosed
from xinzu.records.ledger.model import Account, Entry, Fact
from xinzu.records.ledger.store import entries as store
from xinzu.records.ledger.store import periods


async def open_accounts(uow: UnitOfWork, accounts: Sequence[Account]) -> None:
    """Add accounts to the tenant's chart; those that exist are left as they are. Asking again is harmless."""
    await store.insert_accounts(uow, accounts)


async def post(uow: UnitOfWork, entries: Sequence[Entry], *, moves_late: bool = False) -> list[UUID]:
    """Book entries; returns their ids in order. Two inserts, whatever their number.

    A fact (kind, source_id) that stands in the books already is not booked again: its entry's id is returned. Call it once per
    transaction and after every other row lock: from here to the commit, posting of the tenant waits (entry numbers have no gap).

    With ``moves_late`` an entry whose business date is closed is booked on the first open day and keeps its date as effective date: for
    facts that come late by their nature. Without, it is refused with PeriodClosed, and nothing of the batch is written.

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
    fresh = await store.insert_entries(uow, ids, unique, moves_late=moves_late)
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
    invariant(
        entry.effective_on is None or entry.effective_on < entry.business_date,
        f"an entry takes effect before it is booked or says nothing: {entry.kind} {entry.source_id}",
    )
    for posting in entry.postings:
        invariant(
            posting.amount_fen > 0 and posting.debit_account != posting.credit_account,
            f"a posting moves an amount above zero between two accounts: {entry.kind} {entry.source_id}",
        )


async def _booked_ids(uow: UnitOfWork, entries: Sequence[Entry]) -> dict[tuple[str, UUID], UUID]:
    booked = await store.booked_before(uow, entries)
    missing = [entry for entry in entries if (entry.kind, entry.source_id) not in booked]
    if missing:
        raise await why_not_booked(uow, missing)
    for entry in entries:
        total_fen = booked[entry.kind, entry.source_id][1]
        if total_fen != entry.total_fen:
            raise EntryDiffers(booked_fen=total_fen, given_fen=entry.total_fen)
    return {fact: entry_id for fact, (entry_id, _) in booked.items()}


async def why_not_booked(uow: UnitOfWork, missing: Sequence[Entry | Fact]) -> BooksNotOpen | PeriodClosed:
    """The problem that kept new entries out of the books."""
    book = await periods.book(uow)
    if book is None:
        return BooksNotOpen()
    earliest = min(entry.business_date for entry in missing)
    invariant(book.closed_through is not None and earliest <= book.closed_through, "a new entry of an open period is booked")
    open_from = book.closed_through + timedelta(days=1)
    return PeriodClosed(
        f"账簿已结至 {book.closed_through}，{earliest} 的凭证请记入 {open_from} 或之后，并以 {earliest} 为生效日期",
        f"The books are closed through {book.closed_through}: post on {open_from} or later, with {earliest} as the effective date",
        closed_through=book.closed_through.isoformat(),
        business_date=earliest.isoformat(),
        open_from=open_from.isoformat(),
    )
