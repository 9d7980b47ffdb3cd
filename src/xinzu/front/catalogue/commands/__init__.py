"""Use cases of the catalogue: create, publish, withdraw, quote."""

from __future__ import annotations

from xinzu.front.catalogue.commands.plans import (
    create_plans,
    create_products,
    plan_view,
    publish_plans,
    set_pricing_policy,
    withdraw_plans,
)
from xinzu.front.catalogue.commands.quotes import give_quotes, quote, quote_for, terms_of_quotes

__all__ = [
    "create_plans",
    "create_products",
    "give_quotes",
    "plan_view",
    "publish_plans",
    "quote",
    "quote_for",
    "set_pricing_policy",
    "terms_of_quotes",
    "withdraw_plans",
]
