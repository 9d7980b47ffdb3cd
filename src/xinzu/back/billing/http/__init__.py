"""Routes of billing."""

from __future__ import annotations

from xinzu.back.billing.http import accounts, adjusting, closing, reports, servicing

routes = [*accounts.routes, *adjusting.routes, *closing.routes, *reports.routes, *servicing.routes]
