"""Closed periods of the ledger, the effective date of entries, and the way in for very many entries (ADR 0009)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Written here in full, because a migration does not change when the code does. ``records/ledger/store/bulk.py`` calls it.
_POST_MANY = """
CREATE FUNCTION ledger_post_many(
    dates date[], effectives date[], kinds text[], sources uuid[], memos text[], booked_at timestamptz, moves_late boolean,
    counts integer[], debits text[], credits text[], pair_of integer[], amounts bigint[], subjects uuid[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    tenant bigint := nullif(current_setting('app.tenant', true), '')::bigint;
    checks text := current_setting('session_replication_role');
    ids uuid[];
    is_fresh boolean[];
    fresh_count bigint;
    earliest date;
    number_before bigint;
    open_from date;
    known_count bigint;
BEGIN
    IF (SELECT sum(c) FROM unnest(counts) AS c) <> ALL (ARRAY[cardinality(pair_of), cardinality(amounts), cardinality(subjects)]) THEN
        RAISE array_subscript_error USING MESSAGE = 'the columns of the postings have different lengths';
    END IF;

    SELECT array_agg(uuidv7()), array_agg(f.is_fresh), count(*) FILTER (WHERE f.is_fresh), min(f.on_date) FILTER (WHERE f.is_fresh)
    INTO ids, is_fresh, fresh_count, earliest
    FROM (
        SELECT e.id IS NULL AS is_fresh, g.on_date
        FROM unnest(kinds, sources, dates) WITH ORDINALITY AS g(kind, source_id, on_date, nth)
        LEFT JOIN ledger_entry e ON e.tenant_id = tenant AND e.kind = g.kind AND e.source_id = g.source_id
        ORDER BY g.nth
    ) AS f;
    IF fresh_count = 0 THEN
        RETURN 0;
    END IF;

    UPDATE ledger_book SET last_entry_no = last_entry_no + fresh_count
    WHERE tenant_id = tenant AND (moves_late OR closed_through IS NULL OR closed_through < earliest)
    RETURNING last_entry_no - fresh_count, closed_through + 1 INTO number_before, open_from;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;

    INSERT INTO ledger_entry (tenant_id, id, entry_no, business_date, effective_on, kind, source_id, memo, recorded_at)
    SELECT tenant, g.id, number_before + row_number() OVER (ORDER BY g.nth), greatest(g.on_date, open_from),
           coalesce(g.effective_on, CASE WHEN g.on_date < open_from THEN g.on_date END), g.kind, g.source_id, g.memo, booked_at
    FROM unnest(ids, dates, effectives, kinds, sources, memos) WITH ORDINALITY
         AS g(id, on_date, effective_on, kind, source_id, memo, nth)
    WHERE is_fresh[g.nth];

    -- What the foreign keys would ask for every row is asked once for every account, and the rows are locked as they would lock them.
    -- The entries are this call's own: nobody else can see or delete them before the commit.
    PERFORM FROM ledger_account WHERE tenant_id = tenant AND code = ANY (debits || credits) FOR KEY SHARE;
    GET DIAGNOSTICS known_count = ROW_COUNT;
    IF known_count < (SELECT count(DISTINCT code) FROM unnest(debits || credits) AS code) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a posting names an account that the chart does not have';
    END IF;
    IF has_parameter_privilege('session_replication_role', 'SET') THEN
        PERFORM set_config('session_replication_role', 'replica', true);
    END IF;
    INSERT INTO ledger_posting (tenant_id, entry_id, line, debit_account, credit_account, amount_fen, subject_id)
    SELECT tenant, e.id, p.line, debits[pair_of[e.before + p.line] + 1], credits[pair_of[e.before + p.line] + 1],
           amounts[e.before + p.line], subjects[e.before + p.line]
    FROM (
        SELECT g.id, g.count, g.nth, cast(sum(g.count) OVER (ORDER BY g.nth) AS integer) - g.count AS before
        FROM unnest(ids, counts) WITH ORDINALITY AS g(id, count, nth)
    ) AS e CROSS JOIN LATERAL generate_series(1, e.count) AS p(line)
    WHERE is_fresh[e.nth];
    IF current_setting('session_replication_role') <> checks THEN
        PERFORM set_config('session_replication_role', checks, true);
    END IF;
    RETURN fresh_count;
END $$
"""
_SIGNATURE = (
    "ledger_post_many(date[], date[], text[], uuid[], text[], timestamptz, boolean,"
    " integer[], text[], text[], integer[], bigint[], uuid[])"
)


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.add_column("ledger_book", sa.Column("closed_through", sa.Date(), nullable=True))
    op.add_column("ledger_entry", sa.Column("effective_on", sa.Date(), nullable=True))
    op.create_check_constraint(op.f("ck_ledger_entry_effective_before_booked"), "ledger_entry", "effective_on < business_date")
    op.create_table(
        "ledger_closure",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("through_on", sa.Date(), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("reopened_by", sa.Text(), nullable=True),
        sa.Column("reopened_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("reopen_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "num_nonnulls(reopened_by, reopened_at, reopen_reason) IN (0, 3)", name=op.f("ck_ledger_closure_reopened_whole")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ledger_closure")),
        info={"tenant": True},
    )
    op.create_index(
        "uq_ledger_closure_standing",
        "ledger_closure",
        ["tenant_id", "through_on"],
        unique=True,
        postgresql_where=sa.text("reopened_at IS NULL"),
    )
    op.create_table(
        "ledger_closure_balance",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("closure_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("debit_fen", sa.BigInteger(), nullable=False),
        sa.Column("credit_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("credit_fen >= 0", name=op.f("ck_ledger_closure_balance_credit_fen_min")),
        sa.CheckConstraint("debit_fen >= 0", name=op.f("ck_ledger_closure_balance_debit_fen_min")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "closure_id"],
            ["ledger_closure.tenant_id", "ledger_closure.id"],
            name=op.f("fk_ledger_closure_balance_tenant_id_closure_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "code"],
            ["ledger_account.tenant_id", "ledger_account.code"],
            name=op.f("fk_ledger_closure_balance_tenant_id_code"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "closure_id", "code", name=op.f("pk_ledger_closure_balance")),
        info={"tenant": True},
    )
    op.execute(_POST_MANY)
    op.execute(f"REVOKE ALL ON FUNCTION {_SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {_SIGNATURE} TO xinzu_app")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {_SIGNATURE}")
    op.drop_table("ledger_closure_balance")
    op.drop_table("ledger_closure")
    op.drop_constraint(op.f("ck_ledger_entry_effective_before_booked"), "ledger_entry")
    op.drop_column("ledger_entry", "effective_on")
    op.drop_column("ledger_book", "closed_through")
