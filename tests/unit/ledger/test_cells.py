"""Cells of exported tables: nothing in them runs, and nothing in them is lost."""

from __future__ import annotations

import pytest

from xinzu.kernel.ids import Prefix, new_id, public_id
from xinzu.platform.spreadsheets import safe_text
from xinzu.records.ledger.naming import name_facts, source_of, subject_of


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\n=1", "\u3000=1", "\ufeff=1", "=\x00"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert safe_text(text).startswith("'")


@pytest.mark.parametrize("text", ["", "租金", "a=1", "1-2", "租金 2026-03", "'=1", "ü\n第二行"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text


def test_control_characters_become_spaces() -> None:
    assert safe_text("a\x00b\x1fc\x7f") == "a b c "


def test_a_kind_that_somebody_named_has_public_ids_and_others_bare_ones() -> None:
    name_facts(Prefix.AGREEMENT, [("test.named", Prefix.RECEIPT), ("test.without_source", None)])
    fact = new_id()
    assert source_of("test.named", fact) == public_id(Prefix.RECEIPT, fact)
    assert subject_of("test.without_source", fact) == public_id(Prefix.AGREEMENT, fact)
    assert source_of("test.without_source", fact) == subject_of("test.unnamed", fact) == str(fact)
