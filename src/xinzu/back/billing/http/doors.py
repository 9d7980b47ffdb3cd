"""What the routes of billing share."""

from __future__ import annotations

from uuid import UUID

from xinzu.back.billing.errors import ItemUnknown
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import requires

READER = [requires(Permission.BILLING_READ)]
WRITER = [requires(Permission.BILLING_WRITE)]
# Estimates that set results are for whoever answers for the books, as reopening them is.
POLICY_MAKER = [requires(Permission.LEDGER_REOPEN)]


def item_id_from(text: str) -> UUID:
    for prefix in (Prefix.INSTALMENT, Prefix.CHARGE):
        try:
            return parse_id(prefix, text)
        except ValueError:
            continue
    raise ItemUnknown
