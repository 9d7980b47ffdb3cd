"""A leaf has exactly one spelling, and the quick encoder of the hot path writes the same bytes as the rule."""

from __future__ import annotations

import json
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xinzu.records.evidence.commands import leaf_body
from xinzu.records.evidence.rules.canonical import INTEGER_MAX, JSON, NotCanonical, canonical_json, check_canonical, salted_digest

names = st.text(st.characters(min_codepoint=0, max_codepoint=0x7F), max_size=8)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=20
)
facts = st.dictionaries(names, values, max_size=6)


@given(facts)
@settings(max_examples=400, deadline=None)
def test_canonical_json_reads_back_and_does_not_depend_on_member_order(value: dict[str, Any]) -> None:
    written = canonical_json(value)
    assert json.loads(written) == value
    assert canonical_json(dict(reversed(value.items()))) == written
    assert canonical_json(json.loads(written)) == written


@given(facts, st.uuids(), st.uuids(), texts, st.integers(1, INTEGER_MAX))
@settings(max_examples=400, deadline=None)
def test_the_hot_path_writes_the_canonical_bytes(
    value: dict[str, Any], leaf_id: UUID, subject_id: UUID, actor: str, tenant_id: int
) -> None:
    body = leaf_body(leaf_id, "a.b.c", subject_id, value, at="2026-03-02T01:00:00.000000Z", actor=actor, tenant_id=tenant_id)
    assert body == canonical_json(json.loads(body))


class Colour(StrEnum):
    RED = "red"


class Bucket(IntEnum):
    M1 = 1


def test_members_of_enums_are_written_as_their_values() -> None:
    value: dict[str, JSON] = {"colour": Colour.RED, "bucket": Bucket.M1}
    body = leaf_body(UUID(int=1), "a.b.c", UUID(int=2), value, at="", actor="", tenant_id=1)
    assert canonical_json(value) == b'{"bucket":1,"colour":"red"}'
    assert b'"facts":{"bucket":1,"colour":"red"}' in body


@pytest.mark.parametrize(
    "value",
    [0.5, float("nan"), Decimal("1.5"), b"x", {1}, UUID(int=1), 2**53, -(2**53), {"名": 1}, {1: 1}, [[{"a": 1.0}]]],
)
def test_what_has_more_than_one_spelling_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        check_canonical({"value": value})


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(NotCanonical):
        canonical_json({"value": "\ud800"})
    with pytest.raises(NotCanonical):
        leaf_body(UUID(int=1), "a.b.c", UUID(int=2), {"value": "\ud800"}, at="", actor="", tenant_id=1)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16), texts, texts)
def test_a_digest_tells_value_and_salt_apart(salt: bytes, other_salt: bytes, value: str, other: str) -> None:
    digest = salted_digest(salt, value)
    assert (salted_digest(salt, other) == digest) == (other == value)
    assert (salted_digest(other_salt, value) == digest) == (other_salt == salt)


def test_a_salt_has_one_length_so_that_it_cannot_run_into_the_value() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        salted_digest(b"short", "value")
