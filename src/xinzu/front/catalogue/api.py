"""The front door of the catalogue for other modules.

terms = await catalogue.quote(uow, plan_ids)          # {plan_id: AgreementTerms | Problem}
"""

from __future__ import annotations

from xinzu.front.catalogue.commands import (
    create_plans,
    create_products,
    give_quotes,
    publish_plans,
    quote,
    set_pricing_policy,
    terms_of_quotes,
    withdraw_plans,
)
from xinzu.front.catalogue.errors import CostAboveCap
from xinzu.front.catalogue.rules.annual_cost import ANNUAL_COST_MAX_PCT, is_within_cap
from xinzu.front.catalogue.schemas import (
    NewPlan,
    NewProduct,
    PlanView,
    PricingPolicy,
    ProductView,
    QuoteView,
    TermsView,
    terms_view,
)

__all__ = [
    "ANNUAL_COST_MAX_PCT",
    "CostAboveCap",
    "NewPlan",
    "NewProduct",
    "PlanView",
    "PricingPolicy",
    "ProductView",
    "QuoteView",
    "TermsView",
    "create_plans",
    "create_products",
    "give_quotes",
    "is_within_cap",
    "publish_plans",
    "quote",
    "set_pricing_policy",
    "terms_of_quotes",
    "terms_view",
    "withdraw_plans",
]
