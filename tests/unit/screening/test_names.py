"""How people are compared with watch lists, and how well, on made-up people."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.screening.made_up_people import made_up

from xinzu.middle.screening.model import WatchEntry
from xinzu.middle.screening.rules.names import ALERT_SCORE_MIN, best_match, jaro_winkler, keys_of, match, name_score, syllables

BORN = date(1980, 5, 17)


def listed(*names: str, birth_on: date | None = BORN, document_no: str | None = None) -> WatchEntry:
    return WatchEntry(reference="E", names=names, birth_on=birth_on, document_no=document_no)


@pytest.mark.parametrize(
    ("name", "entry", "because"),
    [
        ("王小明", "王小明", "same_and_birth_date"),
        ("王小明", "Wang Xiaoming", "same_sound_and_birth_date"),
        ("王小明", "XIAO MING WANG", "same_sound_and_birth_date"),
        ("王小明", "Wang Hsiao-ming", "similar_and_birth_date"),
        ("王小明", "王晓明", "same_sound_and_birth_date"),
        ("吕布", "Lü Bu", "similar_and_birth_date"),
    ],
)
def test_a_name_is_the_same_across_scripts_orders_and_spellings(name: str, entry: str, because: str) -> None:
    found = match(name, BORN, None, listed(entry))
    assert (found.score >= ALERT_SCORE_MIN, found.because) == (True, because), found
    assert keys_of(name) & keys_of(entry)


def test_a_namesake_of_another_age_is_somebody_else() -> None:
    assert match("王小明", date(1999, 1, 2), None, listed("王小明")).score < ALERT_SCORE_MIN
    assert (
        match("王小明", date(1980, 1, 2), None, listed("王小明")).score >= ALERT_SCORE_MIN
    )  # lists are often wrong about the day
    assert match("王小明", date(1999, 1, 2), None, listed("王小明", birth_on=None)).score == 1.0


def test_the_same_document_decides_alone() -> None:
    found = match("李四", date(1999, 1, 2), "k1", listed("Somebody Else", document_no="k1"))
    assert (found.score, found.because) == (1.0, "document")


@pytest.mark.parametrize("seed", [7, 1, 2, 3])
def test_precision_and_recall_on_made_up_people_stay_what_the_manual_says(seed: int) -> None:
    entries, customers = made_up(seed)
    by_key: dict[str, set[int]] = {}
    for number, entry in enumerate(entries):
        for key in {key for name in entry.names for key in keys_of(name)}:
            by_key.setdefault(key, set()).add(number)
    counts: Counter[str] = Counter()
    for customer in customers:
        candidates = {number for key in keys_of(customer.name) for number in by_key.get(key, ())}
        best = best_match(customer.name, customer.birth_on, None, (entries[number] for number in sorted(candidates)))
        hit = None if best is None else best[0].reference
        counts["missed" if hit is None and customer.is_entry else "true" if hit == customer.is_entry else "false"] += (
            hit is not None or (customer.is_entry is not None)
        )
    assert counts["true"] / (counts["true"] + counts["false"]) >= 0.98
    assert counts["true"] / (counts["true"] + counts["missed"]) >= 0.95


@given(st.text(max_size=20), st.text(max_size=20))
def test_likeness_is_between_nothing_and_all_and_the_same_both_ways(one: str, other: str) -> None:
    score, _ = name_score(one, other)
    assert 0.0 <= score <= 1.0
    assert score == pytest.approx(name_score(other, one)[0], abs=0.1)
    assert jaro_winkler(one, one) == (1.0 if one else 0.0)


@given(st.lists(st.sampled_from(["wang", "xiao", "ming", "li", "zhao"]), min_size=1, max_size=4), st.randoms())
def test_the_order_of_words_and_their_case_do_not_matter(words: list[str], random: object) -> None:
    shuffled = list(words)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = " ".join(words), " ".join(shuffled).upper()
    assert syllables(one) == syllables(other)
    assert keys_of(one) == keys_of(other)
