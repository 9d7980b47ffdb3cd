"""The shipped definitions: complete, honest about what is not there, and safe to compile."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal

import pytest

from xinzu.middle.credit.definitions import catalogue_sha256, computed, definitions, wanted
from xinzu.middle.credit.model import SHARED, Aggregate, EntityKind, FactKind, Given, Measure
from xinzu.middle.credit.rules import compile as compiled
from xinzu.middle.credit.rules.values import derived, judged
from xinzu.middle.decisions.rules.credit_indicators import CREDIT_KINDS, CREDIT_TEXTS

KINDS = {"bool": bool, "enum": str, "ratio": Decimal, "num": Decimal, "int": int, "count": int, "amount": int}
INDUSTRY_GROUPS = {
    "identity": 23,
    "device": 21,
    "behaviour": 22,
    "credit": 35,
    "income": 18,
    "litigation": 17,
    "multi_lending": 21,
}
INDUSTRY_GROUPS |= {"geography": 19, "order": 27, "graph": 19, "asset": 22}


def test_all_244_of_the_industry_are_declared_and_ours_behind_them() -> None:
    industry = [definition for definition in definitions().values() if not definition.id.startswith("XZ")]
    assert Counter(definition.group for definition in industry) == INDUSTRY_GROUPS
    assert sum(INDUSTRY_GROUPS.values()) == len(industry) == 244
    assert len({definition.id for definition in definitions().values()}) == len(definitions())
    assert len(computed()) >= 100
    assert re.fullmatch("[0-9a-f]{64}", catalogue_sha256())


def test_each_says_who_answers_for_it_and_under_which_consent() -> None:
    for definition in definitions().values():
        assert definition.name_zh
        assert definition.name_en
        assert definition.definition
        assert definition.owner
        assert definition.version > 0
        assert definition.consent in {"decision", "identity_check", "credit_report", "third_party_data", "location"}
        assert definition.sensitivity in {"aggregate", "personal", "sensitive"}
        assert definition.type in KINDS


def test_what_has_no_source_says_why_in_both_languages_and_what_has_one_does_not() -> None:
    for definition in definitions().values():
        has_reason = bool(definition.reason_zh) and bool(definition.reason_en)
        assert has_reason is not definition.is_computed, definition.key
        assert not (definition.given is not None and definition.of is not None), definition.key


def test_a_strategy_may_read_exactly_what_is_computed() -> None:
    # Age and channel are given to a strategy by the application itself, under the same names.
    offered = {key: KINDS[each.type] for key, each in computed().items() if key not in ("age_years", "channel")}
    assert dict(CREDIT_KINDS) == offered
    assert {key: computed()[key].values for key in CREDIT_TEXTS} == dict(CREDIT_TEXTS)


def test_names_that_become_sql_hold_nothing_but_letters_digits_and_dots() -> None:
    for definition in computed().values():
        for aggregate in definition.aggregates:
            words = [
                aggregate.attribute or "",
                *aggregate.where,
                *(value for values in aggregate.where.values() for value in values),
            ]
            assert all(re.fullmatch(r"[A-Za-z0-9_.]*", word) for word in words), definition.key


def test_facts_are_written_only_where_some_indicator_asks_for_them() -> None:
    assert wanted()[FactKind.FIRST_DUE] == {EntityKind.CHANNEL, EntityKind.MERCHANT}
    assert EntityKind.BSSID in wanted()[FactKind.APPLIED]
    assert set(wanted()) == set(FactKind)


def test_windows_reach_no_further_than_the_widest_definition_of_the_entity() -> None:
    reach = compiled.reach_hours(computed().values())
    assert (reach[EntityKind.PARTY], reach[EntityKind.IP], reach[EntityKind.PHONE]) == (None, 1, 365 * 24)
    assert not SHARED & reach.keys()


@pytest.mark.parametrize(
    "aggregate",
    [
        Aggregate(
            entities=(EntityKind.CHANNEL,),
            facts=(FactKind.APPLIED,),
            measure=Measure.DISTINCT,
            window_hours=24,
            attribute="party",
        ),
        Aggregate(entities=(EntityKind.CHANNEL,), facts=(FactKind.APPLIED,), measure=Measure.COUNT),
        Aggregate(
            entities=(EntityKind.MERCHANT,),
            facts=(FactKind.APPLIED,),
            measure=Measure.COUNT,
            window_hours=24,
            where={"a": ("b",)},
        ),
    ],
)
def test_what_a_counter_cannot_hold_is_refused_when_it_is_compiled(aggregate: Aggregate) -> None:
    definition = definitions()["channel_apply_cnt_24h"]
    broken = type(definition)(**{name: getattr(definition, name) for name in definition.__slots__} | {"of": aggregate})
    with pytest.raises(ValueError, match="counters hold"):
        compiled.shared_online([broken])


def test_a_ratio_of_nothing_is_missing_and_never_zero() -> None:
    nothing = {"of": 0, "over": 0}
    assert judged(definitions()["merchant_fpd"], derived(definitions()["merchant_fpd"], nothing)) == (None, "missing")
    # Applications of the last hour against a mean of less than one: the least mean is one.
    assert derived(definitions()["sku_burst"], {"of": 6, "over": 84}) == 6.0


def test_reports_and_channels_are_sources_of_their_own() -> None:
    given = Counter(definition.given for definition in computed().values() if definition.given is not None)
    assert given[Given.REPORT] == 27
    assert computed()["pboc_score"].source_key == "given.report"
    assert computed()["own_max_dpd"].source_key == "facts.party"
    assert definitions()["liveness_pass"].source_key == "unavailable"
