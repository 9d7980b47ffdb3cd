"""Models and scorecards, and the day on which an order defaulted: what models are measured by."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_MODEL, _EXPOSURE = "decisions_model", "decisions_exposure"


def _instant(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Orders that had defaulted before the upgrade are not filled in: the next close states those that still are."""
    op.execute("SET lock_timeout = '5s'")
    op.create_table(
        _MODEL,
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("card", postgresql.JSONB(), nullable=False),
        sa.Column("artefact", sa.Text(), nullable=False),
        sa.Column("artefact_sha256", sa.Text(), nullable=False),
        sa.Column("registered_by", sa.Text(), nullable=False),
        _instant("registered_at"),
        sa.Column("published_by", sa.Text(), nullable=True),
        _instant("published_at", nullable=True),
        sa.Column("retired_by", sa.Text(), nullable=True),
        _instant("retired_at", nullable=True),
        sa.CheckConstraint("state IN ('registered', 'published', 'retired')", name=op.f(f"ck_{_MODEL}_state_known")),
        sa.CheckConstraint("version > 0", name=op.f(f"ck_{_MODEL}_version_min")),
        sa.CheckConstraint("published_by <> registered_by", name=op.f(f"ck_{_MODEL}_four_eyes")),
        sa.CheckConstraint("state <> 'published' OR published_by IS NOT NULL", name=op.f(f"ck_{_MODEL}_published_by_somebody")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f(f"uq_{_MODEL}_tenant_id_id")),
        sa.PrimaryKeyConstraint("tenant_id", "key", "version", name=op.f(f"pk_{_MODEL}")),
    )
    op.add_column(_EXPOSURE, sa.Column("defaulted_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column(_EXPOSURE, "defaulted_on")
    op.drop_table(_MODEL)
