"""Tables of the ledger. Rows of entries and postings are only ever added; of a closure only its reopening is written later."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Integer, Text, Uuid, text

from xinzu.platform.db import fen, instant, one_of, tenant_reference, tenant_table, tenant_unique
from xinzu.records.ledger.model import AccountType, Side

account = tenant_table(
    "ledger_account",
    Column("code", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("normal_side", Text, nullable=False),
    one_of("type", AccountType),
    one_of("normal_side", Side),
    CheckConstraint("code ~ '^[0-9]{4,12}$'", name="code_form"),
    key=("code",),
)

# One row per tenant. Posting updates it, so the postings of one tenant take turns and entry numbers have no gap. Closing updates it
# too: whoever posts after a close sees the date through which the books are closed, whoever posted before has committed.
book = tenant_table(
    "ledger_book",
    Column("last_entry_no", BigInteger, nullable=False),
    Column("closed_through", Date, nullable=True),
    key=(),
)

entry = tenant_table(
    "ledger_entry",
    Column("id", Uuid, nullable=False),
    Column("entry_no", BigInteger, nullable=False),
    Column("business_date", Date, nullable=False),
    # When the fact took effect, if the books had to take it later; null when that is the business date.
    Column("effective_on", Date, nullable=True),
    Column("kind", Text, nullable=False),
    Column("source_id", Uuid, nullable=False),
    Column("memo", Text, nullable=False),
    instant("recorded_at"),
    CheckConstraint("effective_on < business_date", name="effective_before_booked"),
    tenant_unique("entry_no"),
    tenant_unique("kind", "source_id"),
    Index("ix_ledger_entry_date", "tenant_id", "business_date", "entry_no"),
)

# One row is one transfer: whatever is written, debits equal credits.
posting = tenant_table(
    "ledger_posting",
    Column("entry_id", Uuid, nullable=False),
    Column("line", Integer, nullable=False),
    Column("debit_account", Text, nullable=False),
    Column("credit_account", Text, nullable=False),
    fen("amount_fen", minimum=1),
    Column("subject_id", Uuid, nullable=False),
    CheckConstraint("debit_account <> credit_account", name="two_accounts"),
    tenant_reference("entry_id", "ledger_entry"),
    tenant_reference("debit_account", "ledger_account", "code"),
    tenant_reference("credit_account", "ledger_account", "code"),
    Index("ix_ledger_posting_subject", "tenant_id", "subject_id", "entry_id"),
    key=("entry_id", "line"),
)

# Who closed the books through which date, and who opened them again why. Those not reopened stand.
closure = tenant_table(
    "ledger_closure",
    Column("id", Uuid, nullable=False),
    Column("through_on", Date, nullable=False),
    Column("closed_by", Text, nullable=False),
    instant("closed_at"),
    Column("reopened_by", Text, nullable=True),
    instant("reopened_at", nullable=True),
    Column("reopen_reason", Text, nullable=True),
    CheckConstraint("num_nonnulls(reopened_by, reopened_at, reopen_reason) IN (0, 3)", name="reopened_whole"),
    Index("uq_ledger_closure_standing", "tenant_id", "through_on", unique=True, postgresql_where=text("reopened_at IS NULL")),
)

# What had moved on each account when it was closed: later balances are counted from here. Nothing can be posted before it, so it holds.
closure_balance = tenant_table(
    "ledger_closure_balance",
    Column("closure_id", Uuid, nullable=False),
    Column("code", Text, nullable=False),
    fen("debit_fen"),
    fen("credit_fen"),
    tenant_reference("closure_id", "ledger_closure"),
    tenant_reference("code", "ledger_account", "code"),
    key=("closure_id", "code"),
)
