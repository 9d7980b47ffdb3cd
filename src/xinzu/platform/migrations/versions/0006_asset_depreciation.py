"""Things in the books: when they were ready for use, their cost and depreciation, and how they left."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.add_column("assets_asset", sa.Column("acquired_on", sa.Date(), nullable=True))
    op.add_column("assets_asset", sa.Column("leaves_on", sa.Date(), nullable=True))
    op.add_column("assets_asset", sa.Column("leaves_as", sa.Text(), nullable=True))
    op.add_column("assets_asset", sa.Column("is_booked", sa.Boolean(), nullable=False, server_default="false"))
    op.alter_column("assets_asset", "is_booked", server_default=None)
    # The owner sees every tenant's rows only while it is not held to a tenant. What was retired left on a day nobody kept: today.
    op.execute("ALTER TABLE assets_asset NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE assets_asset SET acquired_on = (registered_at AT TIME ZONE 'Asia/Shanghai')::date,"
        " leaves_on = CASE WHEN state = 'retired' THEN (now() AT TIME ZONE 'Asia/Shanghai')::date END,"
        " leaves_as = CASE WHEN state = 'retired' THEN 'scrapped' END"
    )
    op.execute("ALTER TABLE assets_asset FORCE ROW LEVEL SECURITY")
    op.alter_column("assets_asset", "acquired_on", nullable=False)
    _check("assets_asset", "leaves_as_known", "leaves_as IN ('sold', 'leased', 'scrapped', 'lost')")
    _check("assets_asset", "leaves_somehow", "(leaves_on IS NULL) = (leaves_as IS NULL)")
    op.create_index("ix_assets_asset_unbooked", "assets_asset", ["tenant_id", "id"], postgresql_where=sa.text("NOT is_booked"))

    op.create_table(
        "assets_book",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("cost_fen", sa.BigInteger(), nullable=False),
        sa.Column("vat_fen", sa.BigInteger(), nullable=False),
        sa.Column("residual_fen", sa.BigInteger(), nullable=False),
        sa.Column("life_months", sa.SmallInteger(), nullable=False),
        sa.Column("in_use_on", sa.Date(), nullable=False),
        sa.Column("depreciated_fen", sa.BigInteger(), nullable=False),
        sa.Column("depreciated_months", sa.SmallInteger(), nullable=False),
        sa.Column("next_month_on", sa.Date(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.CheckConstraint("cost_fen >= 0", name=op.f("ck_assets_book_cost_fen_min")),
        sa.CheckConstraint("vat_fen >= 0", name=op.f("ck_assets_book_vat_fen_min")),
        sa.CheckConstraint("residual_fen >= 0", name=op.f("ck_assets_book_residual_fen_min")),
        sa.CheckConstraint("depreciated_fen >= 0", name=op.f("ck_assets_book_depreciated_fen_min")),
        sa.CheckConstraint("depreciated_fen <= cost_fen - residual_fen", name=op.f("ck_assets_book_depreciated_to_residual")),
        sa.CheckConstraint(
            "life_months > 0 AND depreciated_months BETWEEN 0 AND life_months", name=op.f("ck_assets_book_months_of_life")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "asset_id"],
            ["assets_asset.tenant_id", "assets_asset.id"],
            name=op.f("fk_assets_book_tenant_id_asset_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "asset_id", name=op.f("pk_assets_book")),
    )
    op.create_index(
        "ix_assets_book_due", "assets_book", ["tenant_id", "next_month_on"], postgresql_where=sa.text("next_month_on IS NOT NULL")
    )
    op.create_table(
        "assets_depreciation_policy",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("useful_life_months", sa.SmallInteger(), nullable=False),
        sa.Column("residual_pct", sa.SmallInteger(), nullable=False),
        sa.Column("purchase_vat_pct", sa.SmallInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "useful_life_months BETWEEN 1 AND 600 AND residual_pct BETWEEN 0 AND 90 AND purchase_vat_pct BETWEEN 0 AND 13",
            name=op.f("ck_assets_depreciation_policy_estimate_possible"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "product_id", name=op.f("pk_assets_depreciation_policy")),
    )


def downgrade() -> None:
    op.drop_table("assets_depreciation_policy")
    op.drop_table("assets_book")
    op.drop_index("ix_assets_asset_unbooked", "assets_asset")
    op.drop_column("assets_asset", "is_booked")
    op.drop_constraint(op.f("ck_assets_asset_leaves_somehow"), "assets_asset")
    op.drop_constraint(op.f("ck_assets_asset_leaves_as_known"), "assets_asset")
    op.drop_column("assets_asset", "leaves_as")
    op.drop_column("assets_asset", "leaves_on")
    op.drop_column("assets_asset", "acquired_on")


def _check(table: str, name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
