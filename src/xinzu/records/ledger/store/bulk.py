"""Very many entries in one statement: the function ``ledger_post_many`` of migration 0002 (ADR 0009)."""

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
    facts = journal.facts[part.facts_from : part.facts_to]
    postings = slice(part.postings_from, part.postings_to)
    return int(
        await uow.scalar(
            _POST_MANY,
            now=uow.now,
            moves_late=moves_late,
            dates=[fact.business_date for fact in facts],
            effectives=[fact.effective_on for fact in facts],
            kinds=[fact.kind for fact in facts],
            sources=[fact.source_id for fact in facts],
            memos=[fact.memo for fact in facts],
            counts=journal.counts[part.facts_from : part.facts_to],
            debits=[debit for debit, _ in journal.pairs],
            credits=[credit for _, credit in journal.pairs],
            pair_of=journal.pair_of[postings],
            amounts=journal.amounts_fen[postings],
            subjects=journal.subject_ids[postings],
        )
    )
