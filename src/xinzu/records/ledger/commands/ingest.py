"""Booking entries, one or very many: commands, imports, and closes that book for every agreement (ADR 0009)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from xinzu.kernel.errors import invariant
from xinzu.platform.uow import UnitOfWork
from xinzu.records.ledger.errors import BooksNotOpen, EntryDiffers, PeriodClosed
from xinzu.records.ledger.model import Fact, Ingested, Journal
from xinzu.records.ledger.rules.journals import Part, parts, totals_fen
from xinzu.records.ledger.store import bulk, entries, periods

POSTINGS_PER_STATEMENT = 50_000


async def post_many(uow: UnitOfWork, journal: Journal, *, moves_late: bool = False) -> Ingested:
    """Book entries given in columns; one statement for each 50,000 postings, cut between entries. Each fact (kind, source_id) is booked
    once, numbers have no gap, every posting is between two accounts of the chart and above zero. Call it after every other row lock and as
    late in the transaction as can be: from here to the commit, posting of the tenant waits.

    With ``moves_late`` an entry whose business date is closed is booked on the first open day and keeps its date as effective date: for
    facts that come late by their nature. Without, it is refused with PeriodClosed.

    The database checks all of it: an account that the chart does not have, an amount below one fen, a fact twice in the journal is its
    IntegrityError. Columns that do not fit together are a programmer's error (InvariantBroken). Raises BooksNotOpen, PeriodClosed, and
    EntryDiffers when a booked fact comes again with another total. After any of these the transaction must be given up: statements
    before may have written.
    """
    invariant(len(journal.counts) == len(journal.facts), "each fact says how many postings it has")
    invariant(not journal.counts or min(journal.counts) > 0, "an entry has at least one posting")
    columns = (journal.pair_of, journal.amounts_fen, journal.subject_ids)
    invariant({sum(journal.counts)} == {len(column) for column in columns}, "the columns hold the postings of all facts")
    written = 0
    for part in parts(journal.counts, POSTINGS_PER_STATEMENT):
        fresh = await bulk.post_many(uow, journal, part, moves_late=moves_late)
        if fresh < part.facts_to - part.facts_from:
            await _check_known(uow, journal, part, fresh)
        written += fresh
    return Ingested(written, len(journal.facts) - written)


async def _check_known(uow: UnitOfWork, journal: Journal, part: Part, fresh: int) -> None:
    """Not all were new: the others must stand in the books with the same total."""
    facts = journal.facts[part.facts_from : part.facts_to]
    booked = await entries.booked_before(uow, facts)
    missing = [fact for fact in facts if (fact.kind, fact.source_id) not in booked]
    if missing:
        invariant(fresh == 0, "a part is written with all its new entries or not at all")
        raise await _why_not_booked(uow, missing)
    for fact, given_fen in zip(facts, totals_fen(journal, part), strict=True):
        booked_fen = booked[fact.kind, fact.source_id][1]
        if booked_fen != given_fen:
            raise EntryDiffers(booked_fen=booked_fen, given_fen=given_fen)


async def _why_not_booked(uow: UnitOfWork, missing: Sequence[Fact]) -> BooksNotOpen | PeriodClosed:
    """The problem that kept new entries out of the books."""
    book = await periods.book(uow)
    if book is None:
        return BooksNotOpen()
    earliest = min(fact.business_date for fact in missing)
    invariant(book.closed_through is not None and earliest <= book.closed_through, "a new entry of an open period is booked")
    open_from = book.closed_through + timedelta(days=1)
    return PeriodClosed(
        f"账簿已结至 {book.closed_through}，{earliest} 的凭证请记入 {open_from} 或之后，并以 {earliest} 为生效日期",
        f"The books are closed through {book.closed_through}: post on {open_from} or later, with {earliest} as the effective date",
        closed_through=book.closed_through.isoformat(),
        business_date=earliest.isoformat(),
        open_from=open_from.isoformat(),
    )
