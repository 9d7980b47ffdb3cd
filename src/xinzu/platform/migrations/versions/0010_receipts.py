"""Receipts and entries at scale: receipts recorded with their allocations, entries booked without asking first whether they are known."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# Takes the place of the function of migration 0002: same call, same answer (ADR 0009). It takes every fact for new, as nearly all are, and
# only looks which of them stand in the books when the unique key or a closed period says that one may. Ids are one UUIDv7 for the call,
# the last 32 bits counting its entries: where the server has no random generator of its own, each uuidv7() reads the system's, 3 µs a time.
_POST_MANY = """
CREATE OR REPLACE FUNCTION ledger_post_many(
    dates date[], effectives date[], kinds text[], sources uuid[], memos text[], booked_at timestamptz, moves_late boolean,
    counts integer[], debits text[], credits text[], pair_of integer[], amounts bigint[], subjects uuid[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    tenant bigint := nullif(current_setting('app.tenant', true), '')::bigint;
    checks text := current_setting('session_replication_role');
    id_begin text := left(uuidv7()::text, 28);
    ids uuid[];
    is_fresh boolean[];
    fresh_count bigint := cardinality(kinds);
    earliest date;
    number_before bigint;
    open_from date;
    known_count bigint;
BEGIN
    IF (SELECT sum(c) FROM unnest(counts) AS c) <> ALL (ARRAY[cardinality(pair_of), cardinality(amounts), cardinality(subjects)]) THEN
        RAISE array_subscript_error USING MESSAGE = 'the columns of the postings have different lengths';
    END IF;
    SELECT array_agg((id_begin || lpad(to_hex(nth), 8, '0'))::uuid ORDER BY nth) INTO ids FROM generate_series(1, fresh_count) AS nth;
    SELECT min(d) INTO earliest FROM unnest(dates) AS d;

    LOOP
        BEGIN
            UPDATE ledger_book SET last_entry_no = last_entry_no + fresh_count
            WHERE tenant_id = tenant AND (moves_late OR closed_through IS NULL OR closed_through < earliest)
            RETURNING last_entry_no - fresh_count, closed_through + 1 INTO number_before, open_from;
            IF FOUND THEN
                INSERT INTO ledger_entry (tenant_id, id, entry_no, business_date, effective_on, kind, source_id, memo, recorded_at)
                SELECT tenant, g.id, number_before + row_number() OVER (ORDER BY g.nth), greatest(g.on_date, open_from),
                       coalesce(g.effective_on, CASE WHEN g.on_date < open_from THEN g.on_date END), g.kind, g.source_id, g.memo, booked_at
                FROM unnest(ids, dates, effectives, kinds, sources, memos) WITH ORDINALITY
                     AS g(id, on_date, effective_on, kind, source_id, memo, nth)
                WHERE is_fresh IS NULL OR is_fresh[g.nth];
                EXIT;
            ELSIF is_fresh IS NOT NULL THEN
                RETURN 0;
            END IF;
        EXCEPTION WHEN unique_violation THEN
            IF is_fresh IS NOT NULL THEN
                RAISE;
            END IF;
        END;
        SELECT array_agg(f.is_fresh), count(*) FILTER (WHERE f.is_fresh), min(f.on_date) FILTER (WHERE f.is_fresh)
        INTO is_fresh, fresh_count, earliest
        FROM (
            SELECT e.id IS NULL AS is_fresh, g.on_date
            FROM unnest(kinds, sources, dates) WITH ORDINALITY AS g(kind, source_id, on_date, nth)
            LEFT JOIN ledger_entry e ON e.tenant_id = tenant AND e.kind = g.kind AND e.source_id = g.source_id
            ORDER BY g.nth
        ) AS f;
        IF fresh_count = 0 THEN
            RETURN 0;
        END IF;
    END LOOP;

    -- What the foreign keys would ask for every row is asked once for every account, and the rows are locked as they would lock them.
    -- The entries are this call's own: nobody else can see or delete them before the commit.
    PERFORM FROM ledger_account WHERE tenant_id = tenant AND code = ANY (debits || credits) FOR KEY SHARE;
    GET DIAGNOSTICS known_count = ROW_COUNT;
    IF known_count < (SELECT count(DISTINCT code) FROM unnest(debits || credits) AS code) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a posting names an account that the chart does not have';
    END IF;
    -- The setting makes the session plan all its statements anew: for few postings their own checks cost less.
    IF cardinality(amounts) >= 100 AND has_parameter_privilege('session_replication_role', 'SET') THEN
        PERFORM set_config('session_replication_role', 'replica', true);
    END IF;
    INSERT INTO ledger_posting (tenant_id, entry_id, line, debit_account, credit_account, amount_fen, subject_id)
    SELECT tenant, e.id, p.line, debits[pair_of[e.before + p.line] + 1], credits[pair_of[e.before + p.line] + 1],
           amounts[e.before + p.line], subjects[e.before + p.line]
    FROM (
        SELECT g.id, g.count, g.nth, cast(sum(g.count) OVER (ORDER BY g.nth) AS integer) - g.count AS before
        FROM unnest(ids, counts) WITH ORDINALITY AS g(id, count, nth)
    ) AS e CROSS JOIN LATERAL generate_series(1, e.count) AS p(line)
    WHERE is_fresh IS NULL OR is_fresh[e.nth];
    IF current_setting('session_replication_role') <> checks THEN
        PERFORM set_config('session_replication_role', checks, true);
    END IF;
    RETURN fresh_count;
END $$
"""

# Receipts with what is set of them at once, ``part_of`` counting the receipts from one. References are checked as there (ADR 0009): in sets
# when there are many. ``back/billing/store/receipts.py`` calls it. Answers how many receipts were written: when a reference was known, no
# allocation is.
_RECORD_RECEIPTS = """
CREATE FUNCTION billing_record_receipts(
    ids uuid[], agreements uuid[], refs text[], trades text[], amounts bigint[], allocated bigint[], sorts integer[],
    sources text[], purposes text[], providers text[], dates date[],
    part_ids uuid[], part_of integer[], instalments uuid[], charges uuid[], parts bigint[], allocated_on date, recorded_at timestamptz
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    tenant bigint := nullif(current_setting('app.tenant', true), '')::bigint;
    checks text := current_setting('session_replication_role');
    written bigint;
    found_count bigint;
BEGIN
    IF cardinality(ids) >= 100 AND has_parameter_privilege('session_replication_role', 'SET') THEN
        PERFORM FROM billing_account WHERE tenant_id = tenant AND agreement_id = ANY (agreements) FOR KEY SHARE;
        GET DIAGNOSTICS found_count = ROW_COUNT;
        IF found_count < (SELECT count(DISTINCT a) FROM unnest(agreements) AS a) THEN
            RAISE foreign_key_violation USING MESSAGE = 'a receipt names an agreement without an account';
        END IF;
        PERFORM FROM billing_instalment WHERE tenant_id = tenant AND id = ANY (instalments) FOR KEY SHARE;
        GET DIAGNOSTICS found_count = ROW_COUNT;
        IF found_count < (SELECT count(DISTINCT i) FROM unnest(instalments) AS i) THEN
            RAISE foreign_key_violation USING MESSAGE = 'an allocation names an instalment that is not there';
        END IF;
        PERFORM FROM billing_charge WHERE tenant_id = tenant AND id = ANY (charges) FOR KEY SHARE;
        GET DIAGNOSTICS found_count = ROW_COUNT;
        IF found_count < (SELECT count(DISTINCT c) FROM unnest(charges) AS c) THEN
            RAISE foreign_key_violation USING MESSAGE = 'an allocation names a charge that is not there';
        END IF;
        PERFORM set_config('session_replication_role', 'replica', true);
    END IF;

    INSERT INTO billing_receipt (tenant_id, id, agreement_id, source, source_ref, purpose, provider, provider_trade_no, amount_fen,
                                 allocated_fen, refunded_fen, received_on, recorded_at)
    SELECT tenant, r.id, r.agreement_id, sources[r.sort], r.source_ref, purposes[r.sort], providers[r.sort], r.trade_no, r.amount_fen,
           r.allocated_fen, 0, dates[r.sort], billing_record_receipts.recorded_at
    FROM unnest(ids, agreements, refs, trades, amounts, allocated, sorts)
         AS r(id, agreement_id, source_ref, trade_no, amount_fen, allocated_fen, sort)
    ON CONFLICT (tenant_id, source, source_ref) DO NOTHING;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written = cardinality(ids) THEN
        INSERT INTO billing_allocation (tenant_id, id, agreement_id, receipt_id, instalment_id, charge_id, amount_fen, allocated_on,
                                        recorded_at)
        SELECT tenant, p.id, agreements[p.nth], ids[p.nth], p.instalment_id, p.charge_id, p.amount_fen,
               billing_record_receipts.allocated_on, billing_record_receipts.recorded_at
        FROM unnest(part_ids, part_of, instalments, charges, parts) AS p(id, nth, instalment_id, charge_id, amount_fen);
    END IF;
    IF current_setting('session_replication_role') <> checks THEN
        PERFORM set_config('session_replication_role', checks, true);
    END IF;
    RETURN written;
END $$
"""
_SIGNATURE = (
    "billing_record_receipts(uuid[], uuid[], text[], text[], bigint[], bigint[], integer[], text[], text[], text[], date[],"
    " uuid[], integer[], uuid[], uuid[], bigint[], date, timestamptz)"
)


def upgrade() -> None:
    op.execute("SET lock_timeout = '5s'")
    op.execute(_POST_MANY)
    op.execute(_RECORD_RECEIPTS)
    op.execute(f"REVOKE ALL ON FUNCTION {_SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {_SIGNATURE} TO xinzu_app")
    # Nobody asks for an allocation by its id alone: its key leads to those of a receipt, and one index less is written.
    op.drop_constraint("pk_billing_allocation", "billing_allocation")
    op.create_primary_key("pk_billing_allocation", "billing_allocation", ["tenant_id", "receipt_id", "id"])
    op.drop_index("ix_billing_allocation_receipt", "billing_allocation")


def downgrade() -> None:
    # ledger_post_many stays: the one of migration 0002 answers the same, only slower.
    op.execute(f"DROP FUNCTION {_SIGNATURE}")
    op.create_index("ix_billing_allocation_receipt", "billing_allocation", ["tenant_id", "receipt_id"])
    op.drop_constraint("pk_billing_allocation", "billing_allocation")
    op.create_primary_key("pk_billing_allocation", "billing_allocation", ["tenant_id", "id"])
