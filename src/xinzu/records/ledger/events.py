"""What happened to the books. The subject of each is the closure."""

from __future__ import annotations

from dataclasses import dataclass

from xinzu.kernel.events import Event, event
from xinzu.kernel.time import BusinessDate


@event("xinzu.ledger.books.closed.v1")
@dataclass(frozen=True, kw_only=True)
class BooksClosed(Event):
    """The books are closed through a date. ``trial_balance_sha256`` is the digest of all accounts' totals by then
    (``rules.digests.trial_balance_sha256``): whoever has the trial balance of that date can check it."""

    through_on: BusinessDate
    trial_balance_sha256: str


@event("xinzu.ledger.books.reopened.v1")
@dataclass(frozen=True, kw_only=True)
class BooksReopened(Event):
    """The newest closure was taken back. The digest is of the same date, counted anew from the entries since the closure before: the one
    of the closing, unless somebody went around the books."""

    through_on: BusinessDate
    trial_balance_sha256: str
