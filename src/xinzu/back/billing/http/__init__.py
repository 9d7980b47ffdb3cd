"""Routes of billing."""

from __future__ import annotations

from xinzu.back.billing.http import accounts, adjusting, closing, disbursing, partners, reports, servicing

routes = [
    *accounts.routes,
    *adjusting.routes,
    *closing.routes,
    *disbursing.routes,
    *partners.routes,
    *reports.routes,
    *servicing.routes,
]
