"""Routes of the ledger."""

from __future__ import annotations

from xinzu.records.ledger.http import closing, files, reading

routes = [*reading.routes, *files.routes, *closing.routes]
