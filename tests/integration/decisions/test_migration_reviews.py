"""What waited for a person when the queue came is put into it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError
from tests.integration.releases import release

from xinzu.platform.db import set_tenant

WAITING = f"""
{set_tenant(1)};
INSERT INTO decisions_decision (tenant_id, id, application_id, party_id, strategy_key, strategy_version, engine_version, outcome, state,
    reason_codes, inputs, inputs_salt, outputs, duration_us, decided_at, referred_by, referred_at, arm, review_level)
SELECT 1, d.id, d.application, gen_random_uuid(), 'phone_rental', 1, 'zen-engine 2.1.3', 'refer', d.state, '{{SHARED_ADDRESS}}', '{{}}', '',
    '{{}}', 1, '2026-03-03T02:00Z', 'strategy', '2026-03-03T02:00Z', 'champion', d.level
FROM (VALUES
    ('00000000-0000-0000-0000-000000000001'::uuid, '00000000-0000-0000-0000-00000000000a'::uuid, 'referred', 'senior'),
    ('00000000-0000-0000-0000-000000000002'::uuid, '00000000-0000-0000-0000-00000000000b'::uuid, 'referred', NULL),
    ('00000000-0000-0000-0000-000000000003'::uuid, '00000000-0000-0000-0000-00000000000c'::uuid, 'reviewed', NULL)
) AS d(id, application, state, level);
INSERT INTO decisions_review (tenant_id, decision_id, outcome, reason_code, reviewer, reviewed_at)
VALUES (1, '00000000-0000-0000-0000-000000000003', 'decline', 'REVIEW_RISK', 'operator:linda', '2026-03-03T03:00Z');
INSERT INTO platform_event (tenant_id, id, type, subject_id, actor, occurred_at, data)
VALUES (1, gen_random_uuid(), 'xinzu.applications.application.submitted.v1', '00000000-0000-0000-0000-00000000000a', 'operator:chen',
    '2026-03-03T01:00Z', '{{}}');
"""


async def test_what_waited_is_queued_and_a_second_review_is_not_lost_on_the_way_back(admin_url: str, home: Path) -> None:
    async with release(admin_url, home, "0017") as old:
        await old.raw.execute(f"BEGIN; {WAITING} COMMIT")
        await old.upgrade()
        async with old.raw.transaction():
            await old.raw.execute(set_tenant(1))
            queued = await old.raw.fetch(
                "SELECT level, round, entered_by, due_at > now(), closed_at FROM decisions_referral ORDER BY decision_id"
            )
            rounds = await old.raw.fetch("SELECT reviewer, round FROM decisions_review")
        assert [tuple(row) for row in queued] == [
            ("senior", 1, "operator:chen", True, None),
            ("reviewer", 1, None, True, None),
        ]
        assert [tuple(row) for row in rounds] == [("operator:linda", 1)]
        for table in ("decisions_decision", "platform_event"):
            assert await old.raw.fetchval("SELECT relforcerowsecurity FROM pg_class WHERE relname = $1", table)
        await old.downgrade()
        await old.upgrade()
        async with old.raw.transaction():
            await old.raw.execute(set_tenant(1))
            await old.raw.execute(
                "INSERT INTO decisions_review (tenant_id, decision_id, round, outcome, reason_code, reviewer, reviewed_at)"
                " SELECT tenant_id, decision_id, 2, 'approve', 'REVIEW_CONFIRMED', 'operator:wang', now() FROM decisions_review"
            )
        with pytest.raises(IntegrityError, match="pk_decisions_review"):
            await old.downgrade()
