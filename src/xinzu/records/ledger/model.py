"""Accounts, entries and postings as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
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
    """What one business fact did to the books. ``(kind, source_id)`` names the fact: the same fact is booked once."""

    kind: str
    source_id: UUID
    business_date: BusinessDate
    memo: str
    postings: tuple[Posting, ...]

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


@dataclass(frozen=True, slots=True)
class TrialBalanceLine:
    """An account's totals up to a date. ``balance_fen`` is on the account's normal side; negative when it stands on the other."""

    account: Account
    debit_fen: int
    credit_fen: int

    @property
    def balance_fen(self) -> int:
        difference = self.debit_fen - self.credit_fen
        return difference if self.account.normal_side is Side.DEBIT else -difference


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """All accounts up to and including a business date; debits and credits are equal."""

    on: BusinessDate
    lines: tuple[TrialBalanceLine, ...]

    @property
    def debit_fen(self) -> int:
        return sum(line.debit_fen for line in self.lines)

    @property
    def credit_fen(self) -> int:
        return sum(line.credit_fen for line in self.lines)


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posting seen from one account. ``balance_fen`` runs on, on the account's normal side."""

    entry_id: UUID
    entry_no: int
    business_date: BusinessDate
    kind: str
    memo: str
    counter_account: str
    subject_id: UUID
    debit_fen: int
    credit_fen: int
    balance_fen: int


@dataclass(frozen=True, slots=True)
class AccountStatement:
    """An account's postings between two business dates (both included) with the balance before the first of them."""

    account: Account
    opening_fen: int
    lines: tuple[StatementLine, ...]

    @property
    def closing_fen(self) -> int:
        return self.lines[-1].balance_fen if self.lines else self.opening_fen
