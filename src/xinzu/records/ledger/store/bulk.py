"""Entries in one statement, however many: the function ``ledger_post_many`` of migration 0010 (ADR 0009).

It draws numbers for the entries that are new and only for them, and writes nothing when one of them would be booked in a closed period.
With ``moves_late`` such an entry goes to the first open day and keeps its date as the effective one. The row of the book is read as the last
writer left it, so that a close cannot come in between, and of two writers of one fact the second finds it booked.
"""

from __future__ import annotations

from xinzu.platform.uow import UnitOfWork
from xinzu.records.ledger.model import Journal
from xinzu.records.ledger.rules.journals import Part

_POST_MANY = """
SELECT ledger_post_many(:dates, :effectives, :kinds, :sources, :memos, :now, :moves_late,
                        :counts, :debits, :credits, :pair_of, :amounts, :subjects)
"""


async def post_many(uow: UnitOfWork, journal: Journal, part: Part, *, moves_late: bool) -> int:
    """Write the entries of a part that are new, with their postings; returns how many were. None when one falls into a closed period."""
    kinds, sources, dates, memos, effectives = map(list, zip(*journal.facts[part.facts_from : part.facts_to], strict=True))
    postings = slice(part.postings_from, part.postings_to)
    return int(
        await uow.scalar(
            _POST_MANY,
            now=uow.now,
            moves_late=moves_late,
            dates=dates,
            effectives=effectives,
            kinds=kinds,
            sources=sources,
            memos=memos,
            counts=journal.counts[part.facts_from : part.facts_to],
            debits=[debit for debit, _ in journal.pairs],
            credits=[credit for _, credit in journal.pairs],
            pair_of=journal.pair_of[postings],
            amounts=journal.amounts_fen[postings],
            subjects=journal.subject_ids[postings],
        )
    )
