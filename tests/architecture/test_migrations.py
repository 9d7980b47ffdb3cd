"""One linear history of the schema."""

from __future__ import annotations

from alembic.script import ScriptDirectory

from xinzu.platform.schema import alembic_config


def test_the_migrations_are_one_line() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
    for revision in script.walk_revisions():
        assert not isinstance(revision.down_revision, tuple), f"{revision.revision} merges two lines"
