"""What strategies may read of screening, and for which reasons."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from xinzu.middle.decisions.model import ReasonUse
from xinzu.middle.decisions.rules.evaluation import CompiledStrategy
from xinzu.middle.decisions.rules.screening_indicators import SCREENING_COUNTS
from xinzu.middle.decisions.rules.strategy import sanitised, trial_cases
from xinzu.middle.decisions.strategies import PHONE_RENTAL, reason_catalogue, shipped_graph
from xinzu.middle.screening.model import LinkKind, ListedKind, OrderCounts, Relations, Screened
from xinzu.middle.screening.rules.links import LINK_SIGNALS, links_of, merged
from xinzu.middle.screening.rules.reasons import facts_of, reasons_of

STRATEGY = CompiledStrategy(sanitised(shipped_graph(PHONE_RENTAL)))
NOTHING = facts_of(Relations(), OrderCounts(), 0)


def test_decisions_declares_the_facts_that_screening_says() -> None:
    assert frozenset(NOTHING) == SCREENING_COUNTS


def test_every_reason_is_in_the_catalogue_and_a_suspicion_is_told_in_general_words_aml_law_art_7() -> None:
    codes = reasons_of(dict.fromkeys(SCREENING_COUNTS, 100))
    catalogue = reason_catalogue()
    assert all(catalogue[code].use is ReasonUse.STRATEGY for code in codes)
    told = catalogue["WATCH_LIST_MATCH"]
    assert told.text_zh == catalogue["RELATED_RING"].text_zh == catalogue["STRATEGY_FAILED"].text_zh
    assert told.is_binding  # nobody like somebody on such a list is accepted at random
    assert catalogue["LIST_MATCH"].is_binding


@given(st.fixed_dictionaries({name: st.integers(min_value=0, max_value=12) for name in sorted(SCREENING_COUNTS)}))
def test_the_shipped_strategy_refers_or_declines_for_just_these_reasons(facts: dict[str, int]) -> None:
    verdict = STRATEGY.evaluate({**trial_cases()["ordinary"], **facts})
    reasons = reasons_of(facts)
    if "LIST_MATCH" in reasons:
        assert (verdict.outcome, list(verdict.reason_codes)) == ("decline", ["LIST_MATCH"])
    else:
        assert (verdict.outcome, list(verdict.reason_codes)) == ("refer" if reasons else "approve", reasons)


def test_everything_that_relates_can_be_listed() -> None:
    assert {str(kind) for kind in LinkKind} | {"party"} == {str(kind) for kind in ListedKind}


def test_what_relates_an_application_stands_as_digests_and_without_consent_there_is_none() -> None:
    said = {signal: f"d-{signal}" for signal in LINK_SIGNALS} | {"ip_key": "shared by strangers"}
    one = Screened(application_id=UUID(int=1), party_id=UUID(int=2), channel="alipay", signals=said, address_key="a")
    found = links_of(one, "p", lambda kind, text: f"keyed {kind}")
    assert {kind for kind, _ in found} == set(LinkKind)
    assert all(key in ("p", "a") or key.startswith("keyed ") for _, key in found)
    refused = Screened(
        application_id=UUID(int=1), party_id=UUID(int=2), channel="alipay", signals=said, address_key="a", has_consented=False
    )
    assert links_of(refused, "p", lambda kind, text: text) == []


groups = st.lists(
    st.lists(st.integers(min_value=1, max_value=20).map(lambda n: UUID(int=n)), min_size=1, max_size=5), max_size=12
)


@given(groups)
def test_components_that_meet_become_the_smallest_of_them(met: list[list[UUID]]) -> None:
    """Against the slow way: spread the smallest along the groups until nothing changes."""
    slow = {each: each for group in met for each in group}
    changed = True
    while changed:
        changed = False
        for group in met:
            least = min(slow[each] for each in group)
            for each in group:
                changed |= slow[each] != least
                slow[each] = least
    becoming = merged(met)
    assert {each: becoming.get(each, each) for each in slow} == slow
    assert all(old != new for old, new in becoming.items())
