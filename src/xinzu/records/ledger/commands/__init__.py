"""Use cases of the ledger: open accounts, post entries, close periods and reopen them."""

from __future__ import annotations

from xinzu.records.ledger.commands.closing import close_periods, reopen_closures
from xinzu.records.ledger.commands.ingest import post_many
from xinzu.records.ledger.commands.posting import open_accounts, post

__all__ = ["close_periods", "open_accounts", "post", "post_many", "reopen_closures"]
