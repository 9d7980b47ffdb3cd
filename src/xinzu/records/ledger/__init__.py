"""Ledger 总账: accounts, entries and postings in double entry, and the closing of periods. It knows no noun of leasing.

Owns the tables ledger_account (the chart), ledger_book (the last entry number, the date through which the books are closed),
ledger_entry, ledger_posting, ledger_closure (who closed and reopened what) and ledger_closure_balance. A posting moves an amount from a
credit account to a debit account, so an entry that does not balance cannot be written (``docs/decisions/0005-transfers-as-postings.md``).
Entries are only ever added; a correction is another entry. What comes after its period was closed is booked on the first open day with
its effective date kept.
Events in: none. Events out: BooksClosed, BooksReopened. Jobs: none.
"""
