"""SQL of things in the books: taken in, depreciated by the month, left. Each step is one statement, whatever the number of things.

``assets_asset.is_booked`` is the queue: false for what was registered or left since the books last looked.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from xinzu.back.assets.model import AssetBook, EstimateDraft, LeavingCause
from xinzu.back.assets.rules.depreciation import DEFAULT_ESTIMATE, DEPRECIATED_FEN_SQL, MONTH_END_SQL, MONTHS_SQL
from xinzu.kernel.time import BusinessDate
from xinzu.kernel.vat import VAT_FEN_SQL
from xinzu.platform.actor import NIL
from xinzu.platform.db import Row
from xinzu.platform.uow import ReadSession, UnitOfWork

_TAKE_IN = f"""
WITH fresh AS (
    SELECT a.id, a.acquired_on, a.purchase_cost_fen AS gross_fen,
           coalesce(own.useful_life_months, every.useful_life_months, :life) AS life_months,
           coalesce(own.residual_pct, every.residual_pct, :residual) AS residual_pct,
           coalesce(own.purchase_vat_pct, every.purchase_vat_pct, :vat) AS vat_pct
    FROM assets_asset a
    LEFT JOIN assets_depreciation_policy own ON own.tenant_id = a.tenant_id AND own.product_id = a.product_id
    LEFT JOIN assets_depreciation_policy every ON every.tenant_id = a.tenant_id AND every.product_id = :every
    WHERE a.tenant_id = :tenant AND NOT a.is_booked
      AND NOT EXISTS (SELECT 1 FROM assets_book b WHERE b.tenant_id = a.tenant_id AND b.asset_id = a.id)
    ORDER BY a.id LIMIT :limit
    FOR UPDATE OF a
), looked AS (
    UPDATE assets_asset a SET is_booked = a.leaves_on IS NULL FROM fresh f WHERE a.tenant_id = :tenant AND a.id = f.id
), priced AS (
    SELECT f.*, {VAT_FEN_SQL.format(gross_fen="f.gross_fen", rate_pct="f.vat_pct")} AS vat_fen FROM fresh f
)
INSERT INTO assets_book (tenant_id, asset_id, cost_fen, vat_fen, residual_fen, life_months, in_use_on, depreciated_fen,
                         depreciated_months, next_month_on)
SELECT :tenant, p.id, p.gross_fen - p.vat_fen, p.vat_fen, (p.gross_fen - p.vat_fen) * p.residual_pct / 100, p.life_months,
       p.acquired_on, 0, 0, {MONTH_END_SQL.format(in_use_on="p.acquired_on", months="1")}
FROM priced p
RETURNING asset_id, cost_fen, vat_fen, in_use_on
"""  # noqa: S608 (constants only)

_LEAVING = """
SELECT a.id FROM assets_asset a JOIN assets_book b ON b.tenant_id = a.tenant_id AND b.asset_id = a.id
WHERE a.tenant_id = :tenant AND NOT a.is_booked AND a.leaves_on IS NOT NULL AND b.left_on IS NULL
ORDER BY a.id LIMIT :limit
FOR UPDATE
"""


def _depreciate(through: str, which: str) -> str:
    """The statement for some things, each depreciated through the month of a date; a month is booked on its last day, or on that date."""
    upto = f"least({MONTHS_SQL.format(through=through, in_use_on='b.in_use_on')}, b.life_months::int)"
    month_on = MONTH_END_SQL.format(in_use_on="d.in_use_on", months="n")
    at_n, before_n = (
        DEPRECIATED_FEN_SQL.format(
            cost_fen="d.cost_fen", residual_fen="d.residual_fen", months=months, life_months="d.life_months"
        )
        for months in ("n", "n - 1")
    )
    total = DEPRECIATED_FEN_SQL.format(
        cost_fen="b.cost_fen", residual_fen="b.residual_fen", months="d.upto", life_months="b.life_months"
    )
    following = MONTH_END_SQL.format(in_use_on="b.in_use_on", months="d.upto + 1")
    return f"""
WITH due AS (
    SELECT b.asset_id, b.cost_fen, b.residual_fen, b.life_months, b.in_use_on, b.depreciated_months AS before, {upto} AS upto,
           {through} AS through
    FROM assets_book b JOIN assets_asset a ON a.tenant_id = b.tenant_id AND a.id = b.asset_id
    WHERE b.tenant_id = :tenant AND b.left_on IS NULL AND {which}
    ORDER BY b.asset_id LIMIT :limit
    FOR UPDATE OF b
), done AS (
    UPDATE assets_book b SET depreciated_months = d.upto, depreciated_fen = {total},
           next_month_on = CASE WHEN d.upto < b.life_months THEN {following} END
    FROM due d WHERE b.tenant_id = :tenant AND b.asset_id = d.asset_id AND d.upto > d.before
)
SELECT d.asset_id, n AS month, least({month_on}, d.through) AS booked_on, {month_on} AS month_on, {at_n} - ({before_n}) AS amount_fen
FROM due d CROSS JOIN generate_series(d.before + 1, d.upto) AS n
ORDER BY d.asset_id, n
"""  # noqa: S608 (constants only)


_DEPRECIATE_DUE = _depreciate("cast(:through AS date)", "b.next_month_on <= cast(:through AS date)")
_DEPRECIATE_LEAVING = _depreciate("a.leaves_on", "b.asset_id = ANY(cast(:ids AS uuid[]))")

_LEAVE = """
WITH looked AS (
    UPDATE assets_asset a SET is_booked = true WHERE a.tenant_id = :tenant AND a.id = ANY(cast(:ids AS uuid[]))
    RETURNING a.id, a.leaves_on, a.leaves_as
)
UPDATE assets_book b SET left_on = l.leaves_on, next_month_on = NULL
FROM looked l WHERE b.tenant_id = :tenant AND b.asset_id = l.id AND b.left_on IS NULL
RETURNING b.asset_id, b.cost_fen, b.depreciated_fen, l.leaves_on, l.leaves_as
"""


async def take_in(uow: UnitOfWork, limit: int) -> Sequence[Row]:
    """Things the books do not know yet, with the estimates in force: (asset_id, cost_fen, vat_fen, in_use_on)."""
    return await uow.rows(
        _TAKE_IN,
        limit=limit,
        every=NIL,
        life=DEFAULT_ESTIMATE.useful_life_months,
        residual=DEFAULT_ESTIMATE.residual_pct,
        vat=DEFAULT_ESTIMATE.purchase_vat_pct,
    )


async def leaving(uow: UnitOfWork, limit: int) -> list[UUID]:
    """Things in the books that are to leave them."""
    return [row.id for row in await uow.rows(_LEAVING, limit=limit)]


async def depreciate_leaving(uow: UnitOfWork, ids: Sequence[UUID]) -> Sequence[Row]:
    """Depreciate through the month of leaving: (asset_id, month, booked_on, month_on, amount_fen)."""
    return await uow.rows(_DEPRECIATE_LEAVING, ids=list(ids), limit=len(ids))


async def leave(uow: UnitOfWork, ids: Sequence[UUID]) -> Sequence[Row]:
    """Take things out of the books: (asset_id, cost_fen, depreciated_fen, leaves_on, leaves_as)."""
    return await uow.rows(_LEAVE, ids=list(ids))


async def depreciate_due(uow: UnitOfWork, through: BusinessDate, limit: int) -> Sequence[Row]:
    """Depreciate what has a month to bear up to a month's end, each thing through all its missed months: as ``depreciate_leaving``."""
    return await uow.rows(_DEPRECIATE_DUE, through=through, limit=limit)


async def mark_leaving(
    uow: UnitOfWork, ids: Sequence[UUID], dates: Sequence[BusinessDate], causes: Sequence[LeavingCause]
) -> None:
    """Say when and how things leave; what was said first stands."""
    await uow.execute(
        "UPDATE assets_asset a SET leaves_on = g.leaves_on, leaves_as = g.leaves_as, is_booked = false"
        " FROM unnest(cast(:ids AS uuid[]), cast(:dates AS date[]), cast(:causes AS text[])) AS g(id, leaves_on, leaves_as)"
        " WHERE a.tenant_id = :tenant AND a.id = g.id AND a.leaves_on IS NULL",
        ids=list(ids),
        dates=list(dates),
        causes=[cause.value for cause in causes],
    )


async def book_of(read: ReadSession, asset_id: UUID) -> AssetBook | None:
    """A thing in the books, or None when they do not know it yet."""
    row = await read.row(
        "SELECT asset_id, cost_fen, vat_fen, residual_fen, life_months, in_use_on, depreciated_fen, depreciated_months, left_on"
        " FROM assets_book WHERE tenant_id = :tenant AND asset_id = :id",
        id=asset_id,
    )
    return None if row is None else AssetBook(**row)


async def set_estimates(uow: UnitOfWork, drafts: Sequence[EstimateDraft]) -> None:
    """Write estimates of distinct products; the product of none is every product without its own."""
    await uow.execute(
        "INSERT INTO assets_depreciation_policy"
        " (tenant_id, product_id, useful_life_months, residual_pct, purchase_vat_pct, changed_by, changed_at)"
        " SELECT :tenant, p.product_id, p.life, p.residual, p.vat, :actor, :now"
        " FROM unnest(cast(:products AS uuid[]), cast(:lives AS int[]), cast(:residuals AS int[]), cast(:vats AS int[]))"
        " AS p(product_id, life, residual, vat) ORDER BY p.product_id"
        " ON CONFLICT (tenant_id, product_id) DO UPDATE SET useful_life_months = excluded.useful_life_months,"
        " residual_pct = excluded.residual_pct, purchase_vat_pct = excluded.purchase_vat_pct, changed_by = excluded.changed_by,"
        " changed_at = excluded.changed_at",
        actor=str(uow.actor),
        now=uow.now,
        products=[draft.product_id or NIL for draft in drafts],
        lives=[draft.useful_life_months for draft in drafts],
        residuals=[draft.residual_pct for draft in drafts],
        vats=[draft.purchase_vat_pct for draft in drafts],
    )


async def estimates(read: ReadSession) -> list[EstimateDraft]:
    """The tenant's estimates; that of every product without its own stands first, the product's default when the tenant has none."""
    rows = await read.rows(
        "SELECT product_id, useful_life_months, residual_pct, purchase_vat_pct FROM assets_depreciation_policy"
        " WHERE tenant_id = :tenant ORDER BY product_id"
    )
    own = [EstimateDraft(**{**row, "product_id": None if row.product_id == NIL else row.product_id}) for row in rows]
    return own if own and own[0].product_id is None else [DEFAULT_ESTIMATE, *own]
