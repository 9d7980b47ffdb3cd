"""Routes of the catalogue."""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import Response, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from xinzu.front.catalogue import commands, schemas, store
from xinzu.front.catalogue.errors import PlanUnknown, ProductUnknown
from xinzu.front.catalogue.model import PlanState
from xinzu.kernel.ids import Prefix, parse_id
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.platform.actor import Permission
from xinzu.platform.http.door import Cursor, HttpRequest, IdempotencyKey, Limit, id_from, reading, requires, run

READER = [requires(Permission.CATALOGUE_READ)]
WRITER = [requires(Permission.CATALOGUE_WRITE)]

ProductFilter = Annotated[str | None, QueryParameter(name="product_id", max_length=64, required=False)]
StateFilter = Annotated[Literal["draft", "published", "withdrawn"] | None, QueryParameter(name="state", required=False)]


@post("/v1/products", tags=["catalogue"], operation_id="create_product", status_code=201, guards=WRITER)
async def create_product(
    request: HttpRequest, data: JSONBody[schemas.NewProduct], key: IdempotencyKey = None
) -> Response[schemas.ProductView]:
    """Add a product."""
    return await run(request, commands.create_products, data, key=key, status=201, location="/v1/products/{id}")


@get("/v1/products/{product_id:str}", tags=["catalogue"], operation_id="get_product", guards=READER)
async def get_product(request: HttpRequest, product_id: FromPath[str]) -> schemas.ProductView:
    """One product."""
    async with reading(request) as read:
        found = await store.product(read, id_from(Prefix.PRODUCT, product_id))
    if found is None:
        raise ProductUnknown()
    return schemas.product_view(found)


@get("/v1/products", tags=["catalogue"], operation_id="list_products", guards=READER)
async def list_products(request: HttpRequest, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT) -> schemas.ProductPage:
    """Products, newest first."""
    async with reading(request) as read:
        found = await store.products(read, decode_cursor(cursor), limit + 1)
    page = page_of(found, limit, lambda product: product.id)
    return schemas.ProductPage(items=[schemas.product_view(product) for product in page.items], next_cursor=page.next_cursor)


@post("/v1/plans", tags=["catalogue"], operation_id="create_plan", status_code=201, guards=WRITER)
async def create_plan(
    request: HttpRequest, data: JSONBody[schemas.NewPlan], key: IdempotencyKey = None
) -> Response[schemas.PlanView]:
    """Draft a plan: a rental of equal rents in advance or, with ``financing``, a finance lease or a loan."""
    return await run(request, commands.create_plans, data, key=key, status=201, location="/v1/plans/{id}")


@get("/v1/plans/{plan_id:str}", tags=["catalogue"], operation_id="get_plan", guards=READER)
async def get_plan(request: HttpRequest, plan_id: FromPath[str]) -> schemas.PlanView:
    """One plan."""
    async with reading(request) as read:
        found = await store.plan_by_id(read, id_from(Prefix.PLAN, plan_id))
    if found is None:
        raise PlanUnknown()
    return commands.plan_view(read, found)


@get("/v1/plans", tags=["catalogue"], operation_id="list_plans", guards=READER)
async def list_plans(
    request: HttpRequest,
    product_id: ProductFilter = None,
    plan_state: StateFilter = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> schemas.PlanPage:
    """Plans, newest first, of one product or in one state."""
    product = None if product_id is None else id_from(Prefix.PRODUCT, product_id)
    state = None if plan_state is None else PlanState(plan_state)
    async with reading(request) as read:
        found = await store.plans(read, product, state, decode_cursor(cursor), limit + 1)
        page = page_of(found, limit, lambda plan: plan.id)
        return schemas.PlanPage(items=[commands.plan_view(read, plan) for plan in page.items], next_cursor=page.next_cursor)


@post("/v1/plans/{plan_id:str}/publication", tags=["catalogue"], operation_id="publish_plan", status_code=200, guards=WRITER)
async def publish_plan(request: HttpRequest, plan_id: FromPath[str], key: IdempotencyKey = None) -> Response[schemas.PlanView]:
    """Offer a plan. Refused when its all-in annualised cost is above the cap."""
    return await run(request, commands.publish_plans, id_from(Prefix.PLAN, plan_id), key=key)


@post("/v1/plans/{plan_id:str}/withdrawal", tags=["catalogue"], operation_id="withdraw_plan", status_code=200, guards=WRITER)
async def withdraw_plan(request: HttpRequest, plan_id: FromPath[str], key: IdempotencyKey = None) -> Response[schemas.PlanView]:
    """Stop offering a plan."""
    return await run(request, commands.withdraw_plans, id_from(Prefix.PLAN, plan_id), key=key)


@post("/v1/quotes", tags=["catalogue"], operation_id="give_quote", status_code=201, guards=READER)
async def give_quote(
    request: HttpRequest, data: JSONBody[schemas.NewQuote], key: IdempotencyKey = None
) -> Response[schemas.QuoteView]:
    """Freeze a plan's terms for 24 hours; of one of rent by the day those for so many days."""
    try:
        plan_id = parse_id(Prefix.PLAN, data.plan_id)
    except ValueError:
        raise PlanUnknown() from None
    return await run(request, commands.give_quotes, (plan_id, data.days), key=key, status=201)


@put("/v1/pricing-policy", tags=["catalogue"], operation_id="set_pricing_policy", guards=WRITER)
async def set_pricing_policy(
    request: HttpRequest, data: JSONBody[schemas.PricingPolicy], key: IdempotencyKey = None
) -> Response[schemas.PolicyView]:
    """Lower the cap on the all-in annualised cost for this tenant."""
    return await run(request, commands.set_pricing_policy, data, key=key)


routes = [
    create_product,
    get_product,
    list_products,
    create_plan,
    get_plan,
    list_plans,
    publish_plan,
    withdraw_plan,
    give_quote,
    set_pricing_policy,
]
