"""Entries in columns, and their parts that are small enough for one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from xinzu.records.ledger.model import Entry, Fact, Journal


def journal_of(entries: Iterable[Entry]) -> Journal:
    """Entries in columns. Convenient; who has very many builds the columns and spares the objects."""
    facts: list[Fact] = []
    counts: list[int] = []
    numbers: dict[tuple[str, str], int] = {}
    pair_of: list[int] = []
    amounts_fen: list[int] = []
    subject_ids: list[UUID] = []
    for entry in entries:
        facts.append(Fact(entry.kind, entry.source_id, entry.business_date, entry.memo, entry.effective_on))
        counts.append(len(entry.postings))
        for posting in entry.postings:
            pair_of.append(numbers.setdefault((posting.debit_account, posting.credit_account), len(numbers)))
            amounts_fen.append(posting.amount_fen)
            subject_ids.append(posting.subject_id)
    return Journal(facts, counts, list(numbers), pair_of, amounts_fen, subject_ids)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a journal: facts and postings from (included) and up to (not included)."""

    facts_from: int
    facts_to: int
    postings_from: int
    postings_to: int


def parts(counts: Sequence[int], postings_max: int) -> Iterator[Part]:
    """Stretches of at most that many postings, cut between entries; an entry that has more is one alone.

    >>> [(part.facts_from, part.facts_to, part.postings_to) for part in parts([2, 3, 1, 9, 1], 6)]
    [(0, 3, 6), (3, 4, 15), (4, 5, 16)]
    """
    facts_from = postings_from = postings = 0
    for fact, count in enumerate(counts):
        if postings + count - postings_from > postings_max and fact > facts_from:
            yield Part(facts_from, fact, postings_from, postings)
            facts_from, postings_from = fact, postings
        postings += count
    if postings > postings_from:
        yield Part(facts_from, len(counts), postings_from, postings)


def totals_fen(journal: Journal, part: Part) -> list[int]:
    """The total of each entry of a part."""
    totals, begin = [], part.postings_from
    for count in journal.counts[part.facts_from : part.facts_to]:
        totals.append(sum(journal.amounts_fen[begin : begin + count]))
        begin += count
    return totals
