"""Problems of products, plans and quotes."""

from __future__ import annotations

from xinzu.kernel.errors import Conflict, Gone, Invalid, NotFound


class ProductUnknown(NotFound):
    """No product of this tenant has the id."""

    code = "catalogue.product_unknown"
    title_zh = "没有该产品"
    title_en = "There is no such product"


class PlanUnknown(NotFound):
    """No plan of this tenant has the id."""

    code = "catalogue.plan_unknown"
    title_zh = "没有该方案"
    title_en = "There is no such plan"


class PlanNotOffered(Conflict):
    """The plan is a draft or was withdrawn."""

    code = "catalogue.plan_not_offered"
    title_zh = "该方案当前不可申请"
    title_en = "The plan is not on offer"


class CostAboveCap(Invalid):
    """The plan's all-in annualised cost is above the cap: it may be neither published nor quoted."""

    code = "catalogue.cost_above_cap"
    title_zh = "综合年化成本超过上限"
    title_en = "The all-in annualised cost is above the cap"


class FinancingRefused(Invalid):
    """The financing of a plan cannot be as it is; the field is named as the plan names it."""

    code = "catalogue.financing_refused"
    title_zh = "融资条款有误"
    title_en = "The financing cannot be as it is"


class DaysRefused(Invalid):
    """A plan of rent by the day is quoted for a number of days, and no other is."""

    code = "catalogue.days_refused"
    title_zh = "租用天数有误"
    title_en = "The number of days cannot be as it is"


class LateFeeAboveCap(Invalid):
    """The daily late fee comes to more than 4 × LPR a year."""

    code = "catalogue.late_fee_above_cap"
    title_zh = "违约金日费率超过上限"
    title_en = "The daily late fee is above the cap"


class QuoteUnknown(NotFound):
    """No quote of this tenant has the id."""

    code = "catalogue.quote_unknown"
    title_zh = "没有该报价"
    title_en = "There is no such quote"


class QuoteExpired(Gone):
    """The quote's validity is over."""

    code = "catalogue.quote_expired"
    title_zh = "报价已过期"
    title_en = "The quote has expired"
