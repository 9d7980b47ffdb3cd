"""Ledger 总账: accounts, entries and postings in double entry. It knows no noun of leasing.

Owns the tables ledger_account (the chart), ledger_book (the last entry number), ledger_entry and ledger_posting. A posting moves
an amount from a credit account to a debit account, so an entry that does not balance cannot be written
(``docs/decisions/0005-transfers-as-postings.md``). Entries are only ever added; a correction is another entry.
Events: none in, none out. Jobs: none.
"""
