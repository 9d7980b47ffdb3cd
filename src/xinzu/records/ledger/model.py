"""Accounts, entries and postings as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from xinzu.kernel.time import BusinessDate, Instant


class AccountType(StrEnum):
    """The element of the financial statements an account belongs to."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class Side(StrEnum):
    """The side on which an account grows. A contra account (accumulated depreciation) grows on the other side of its type."""

    DEBIT = "debit"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the chart. ``code`` follows the tenant's chart (in China the codes of the Accounting Standards)."""

    code: str
    name_zh: str
    name_en: str
    type: AccountType
    normal_side: Side

    def on_normal_side(self, debit_less_credit_fen: int) -> int:
        """A difference as this account shows it."""
        return debit_less_credit_fen if self.normal_side is Side.DEBIT else -debit_less_credit_fen


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount moved: the debit account is debited and the credit account credited with the same fen.

    ``subject_id`` is the dimension a balance can be drilled down by (an agreement, an asset); the ledger does not ask which.
    """

    debit_account: str
    credit_account: str
    amount_fen: int
    subject_id: UUID


@dataclass(frozen=True, slots=True)
class Entry:
    """What one business fact did to the books. ``(kind, source_id)`` names the fact: the same fact is booked once.

    ``business_date`` is the date it is booked on; ``effective_on``, always earlier, the date it took effect when the books were closed
    for that one already.
    """

    kind: str
    source_id: UUID
    business_date: BusinessDate
    memo: str
    postings: tuple[Posting, ...]
    effective_on: BusinessDate | None = None

    @property
    def total_fen(self) -> int:
        return sum(posting.amount_fen for posting in self.postings)


@dataclass(frozen=True, slots=True)
class BookedEntry:
    """An entry as it stands in the books, with its number (gapless per tenant) and the instant it was written."""

    id: UUID
    entry_no: int
    recorded_at: Instant
    entry: Entry


class Fact(NamedTuple):
    """An entry without its postings: what the books are told of one business fact. A tuple, because very many are made."""

    kind: str
    source_id: UUID
    business_date: BusinessDate
    memo: str
    effective_on: BusinessDate | None = None


@dataclass(frozen=True, slots=True)
class Journal:
    """Very many entries in columns, for ``post_many``: ``facts[n]`` has ``counts[n]`` postings, and the columns hold those of the first fact,
    then those of the second, and so on. A posting moves its amount about its subject from the credit to the debit account of
    ``pairs[pair_of]``, a pair being (debit, credit).
    """

    facts: Sequence[Fact]
    counts: Sequence[int]
    pairs: Sequence[tuple[str, str]]
    pair_of: Sequence[int]
    amounts_fen: Sequence[int]
    subject_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Ingested:
    """What ``post_many`` did: entries written, and facts that stood in the books before."""

    entry_count: int
    known_count: int


@dataclass(frozen=True, slots=True)
class Movements:
    """Debits less credits of each account since some entry, in fen, and the number of the newest entry now."""

    last_entry_no: int
    net_debit_fen: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Closure:
    """The books closed through a date, and their reopening if there was one. Actors as they are written beside every fact."""

    id: UUID
    through_on: BusinessDate
    closed_by: str
    closed_at: Instant
    reopened_by: str | None = None
    reopened_at: Instant | None = None
    reopen_reason: str | None = None


@dataclass(frozen=True, slots=True)
class TrialBalanceLine:
    """What moved on an account, after what stood there before. Both balances are on the account's normal side; negative when they stand
    on the other.
    """

    account: Account
    debit_fen: int
    credit_fen: int
    opening_fen: int = 0

    @property
    def balance_fen(self) -> int:
        return self.opening_fen + self.account.on_normal_side(self.debit_fen - self.credit_fen)


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """All accounts up to and including a business date, from ``first`` or from the beginning; debits and credits are equal."""

    on: BusinessDate
    lines: tuple[TrialBalanceLine, ...]
    first: BusinessDate | None = None

    @property
    def debit_fen(self) -> int:
        return sum(line.debit_fen for line in self.lines)

    @property
    def credit_fen(self) -> int:
        return sum(line.credit_fen for line in self.lines)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a posting stands in the books: by date, then entry number, then line (from 1)."""

    business_date: BusinessDate
    entry_no: int
    line: int


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posting seen from one account. ``balance_fen`` runs on, on the account's normal side."""

    entry_id: UUID
    entry_no: int
    line: int
    business_date: BusinessDate
    effective_on: BusinessDate | None
    kind: str
    source_id: UUID
    memo: str
    counter_account: str
    subject_id: UUID
    debit_fen: int
    credit_fen: int
    balance_fen: int

    @property
    def place(self) -> Place:
        return Place(self.business_date, self.entry_no, self.line)


@dataclass(frozen=True, slots=True)
class AccountStatement:
    """An account's postings between two business dates (both included) with the balance before the first of them."""

    account: Account
    opening_fen: int
    lines: tuple[StatementLine, ...]

    @property
    def closing_fen(self) -> int:
        return self.lines[-1].balance_fen if self.lines else self.opening_fen


@dataclass(frozen=True, slots=True)
class SubjectTotal:
    """What moved on one account about one subject. ``kind`` is that of one of its entries: it says what sort of thing the subject is."""

    subject_id: UUID
    kind: str
    debit_fen: int
    credit_fen: int
    balance_fen: int
