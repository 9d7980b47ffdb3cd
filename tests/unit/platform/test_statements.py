"""SQL text as the driver takes it."""

from __future__ import annotations

from xinzu.platform.db import statement


def test_a_name_said_twice_is_one_parameter() -> None:
    sql, names = statement("SELECT :tenant, cast(:ids AS uuid[]) WHERE a = :tenant")
    assert sql == "SELECT $1, cast($2 AS uuid[]) WHERE a = $1"
    assert names == ("tenant", "ids")


def test_casts_and_quoted_colons_are_no_parameters() -> None:
    assert statement("SELECT x::bigint, y FROM t WHERE z = :z").sql == "SELECT x::bigint, y FROM t WHERE z = $1"
    assert statement("SELECT 1") == ("SELECT 1", ())
