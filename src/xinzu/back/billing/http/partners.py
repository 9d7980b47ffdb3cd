"""Routes of partners: their shares by agreement, what is owed to them, and paying it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from litestar import Response, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from xinzu.back.billing import api
from xinzu.back.billing.http.doors import READER, WRITER
from xinzu.back.billing.model import ShareBasis
from xinzu.back.billing.schemas import PositiveFen, Reference
from xinzu.kernel.errors import Invalid
from xinzu.kernel.ids import Prefix
from xinzu.kernel.paging import LIMIT_DEFAULT, decode_cursor, page_of
from xinzu.kernel.time import BusinessDate
from xinzu.platform.http.door import Cursor, HttpRequest, IdempotencyKey, Limit, id_at, id_from, reading, run
from xinzu.platform.http.fields import ONE_LINE, PublicId

From = Annotated[
    date | None, QueryParameter(name="from", required=False, description="The first date; default: the month's first")
]
To = Annotated[date | None, QueryParameter(name="to", required=False, description="The last date; default: today")]
SHARES_MAX = 20
BasisPoints = Annotated[int, msgspec.Meta(ge=0, le=10_000, description="Basis points of what is received")]


class NewPartner(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The name a partner is settled under: a merchant's, no person's."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=ONE_LINE)]


class ShareBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Basis points of what is received, within floor and cap; or ``fixed_fen`` of each item that is paid in full."""

    partner_id: PublicId
    share_bp: BasisPoints = 0
    fixed_fen: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000_000)] = 0
    floor_fen: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000_000)] = 0
    cap_fen: PositiveFen | None = None


Shares = Annotated[list[ShareBody], msgspec.Meta(max_length=SHARES_MAX)]


class SharesBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Shares in rents, in interest, and in what is paid for the thing at the end, of items that fall due from ``from_on``. They take the place
    of the present ones. ``agreed_ref`` is where the partners agreed."""

    from_on: BusinessDate
    agreed_ref: Reference
    rent: Shares = []
    interest: Shares = []
    residual: Shares = []


class PayoutBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What was paid from the bank today. ``reference`` is the bank's: the same one is recorded once."""

    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=ONE_LINE)]
    amount_fen: PositiveFen


class PartnerPage(msgspec.Struct, kw_only=True):
    """Partners by id."""

    items: list[api.PartnerView]
    next_cursor: str | None


@post("/v1/partners", tags=["billing"], operation_id="register_partner", guards=WRITER, status_code=201)
async def register_partner(
    request: HttpRequest, data: JSONBody[NewPartner], idempotency_key: IdempotencyKey = None
) -> Response[api.PartnerView]:
    """Make a partner known; the same name gives the same partner."""
    return await run(request, api.register_partners, data.name, key=idempotency_key, status=201)


@get("/v1/partners", tags=["billing"], operation_id="list_partners", guards=READER)
async def list_partners(request: HttpRequest, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT) -> PartnerPage:
    """Partners and what is owed to each 应付合作方."""
    async with reading(request) as read:
        found = await api.partners(read, after=decode_cursor(cursor), limit=limit + 1)
    page = page_of(found, limit, lambda each: each[0])
    return PartnerPage(items=[view for _, view in page.items], next_cursor=page.next_cursor)


@get("/v1/partners/{partner_id:str}/settlement", tags=["billing"], operation_id="get_partner_settlement", guards=READER)
async def get_settlement(
    request: HttpRequest,
    partner_id: FromPath[str],
    first: From = None,
    last: To = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> api.PartnerSettlement:
    """A partner's settlement list 结算单: opening, every share and payout, closing."""
    found_id = id_from(Prefix.PARTNER, partner_id)
    async with reading(request) as read:
        until = last or read.business_date
        since = first or until.replace(day=1)
        if since > until:
            raise Invalid.field("/query/to", "request.dates_reversed", "结束日不得早于起始日", "to must not be before from")
        settlement, ids = await api.settlement_of(read, found_id, since, until, before=decode_cursor(cursor), limit=limit + 1)
    page = page_of(list(zip(ids, settlement.items, strict=True)), limit, lambda each: each[0])
    return msgspec.structs.replace(settlement, items=[line for _, line in page.items], next_cursor=page.next_cursor)


@post("/v1/partners/{partner_id:str}/payouts", tags=["billing"], operation_id="record_payout", guards=WRITER, status_code=200)
async def record_payout(
    request: HttpRequest, partner_id: FromPath[str], data: JSONBody[PayoutBody], idempotency_key: IdempotencyKey = None
) -> Response[api.Paid]:
    """Record what was paid to a partner; never more than is owed to him."""
    asked = api.NewPayout(id_from(Prefix.PARTNER, partner_id), data.reference, data.amount_fen)
    return await run(request, api.record_payouts, asked, key=idempotency_key)


@put("/v1/agreements/{agreement_id:str}/shares", tags=["billing"], operation_id="set_shares", guards=WRITER)
async def set_shares(
    request: HttpRequest, agreement_id: FromPath[str], data: JSONBody[SharesBody], idempotency_key: IdempotencyKey = None
) -> Response[api.AgreementShares]:
    """Set who has which shares in what the agreement brings."""
    asked = api.ShareAgreement(
        agreement_id=id_from(Prefix.AGREEMENT, agreement_id),
        from_on=data.from_on,
        by_basis={
            basis: [
                api.ShareTerms(
                    id_at(Prefix.PARTNER, share.partner_id, f"/{basis}/{n}/partner_id"),
                    share.share_bp,
                    share.fixed_fen,
                    share.floor_fen,
                    share.cap_fen,
                )
                for n, share in enumerate(getattr(data, basis))
            ]
            for basis in ShareBasis
        },
        agreed_ref=data.agreed_ref,
    )
    return await run(request, api.agree_shares, asked, key=idempotency_key)


@get("/v1/agreements/{agreement_id:str}/shares", tags=["billing"], operation_id="get_shares", guards=READER)
async def get_shares(request: HttpRequest, agreement_id: FromPath[str]) -> api.AgreementShares:
    """Who has which shares in what the agreement brings, and what they have come to."""
    async with reading(request) as read:
        return await api.shares_in(read, id_from(Prefix.AGREEMENT, agreement_id))


routes = [register_partner, list_partners, get_settlement, record_payout, set_shares, get_shares]
