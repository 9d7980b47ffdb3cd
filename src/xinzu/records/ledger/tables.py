"""Tables of the ledger. Rows of entries and postings are only ever added."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Integer, Text, Uuid

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

# One row per tenant. Posting updates it, so the postings of one tenant take turns and entry numbers have no gap.
book = tenant_table(
    "ledger_book",
    Column("last_entry_no", BigInteger, nullable=False),
    key=(),
)

entry = tenant_table(
    "ledger_entry",
    Column("id", Uuid, nullable=False),
    Column("entry_no", BigInteger, nullable=False),
    Column("business_date", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source_id", Uuid, nullable=False),
    Column("memo", Text, nullable=False),
    instant("recorded_at"),
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
