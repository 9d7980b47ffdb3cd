"""Strategies published before versions had a life stay what they were, and the way back is open until somebody saves a draft."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError
from tests.integration.releases import release

from xinzu.platform.db import set_tenant

PUBLISHED = f"""
{set_tenant(1)};
INSERT INTO decisions_strategy (tenant_id, key, version, graph, graph_sha256, engine_version, state, published_at, published_by)
VALUES (1, 'phone_rental', 1, '{{}}', 'a', 'zen-engine 2.1.3', 'retired', '2026-03-02T01:00Z', 'system:x'),
       (1, 'phone_rental', 2, '{{}}', 'b', 'zen-engine 2.1.3', 'published', '2026-03-03T01:00Z', 'system:x');
INSERT INTO decisions_decision (tenant_id, id, application_id, party_id, strategy_key, strategy_version, engine_version, outcome, state,
    reason_codes, inputs, inputs_salt, outputs, duration_us, decided_at)
VALUES (1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'phone_rental', 2, 'zen-engine 2.1.3', 'approve', 'decided', '{{}}',
    '{{}}', '', '{{}}', 1, '2026-03-03T02:00Z');
"""


async def test_what_was_published_stays_published_and_can_be_rolled_back(admin_url: str, home: Path) -> None:
    async with release(admin_url, home, "0014") as old:
        await old.raw.execute(f"BEGIN; {PUBLISHED} COMMIT")
        await old.upgrade()
        async with old.raw.transaction():
            await old.raw.execute(set_tenant(1))
            versions = await old.raw.fetch(
                "SELECT state, authors, approved_by, replaced, share_pct, changed_at = published_at FROM decisions_strategy ORDER BY version"
            )
            arm = await old.raw.fetchval("SELECT arm FROM decisions_decision")
        assert [tuple(row) for row in versions] == [
            ("retired", ["system:x"], "system:x", None, 0, True),
            ("published", ["system:x"], "system:x", 1, 0, True),
        ]
        assert arm == "champion"
        assert await old.raw.fetchval("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'decisions_strategy'")
        await old.downgrade()
        await old.upgrade()
        async with old.raw.transaction():
            await old.raw.execute(set_tenant(1))
            await old.raw.execute(
                "UPDATE decisions_strategy SET state = 'draft', published_at = NULL, published_by = NULL WHERE version = 1"
            )
        with pytest.raises(IntegrityError, match="state_known"):
            await old.downgrade()
