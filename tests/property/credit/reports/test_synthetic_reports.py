"""A synthetic report says the same in every form, agrees with itself, and is the same for the same seed."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from xinzu.kernel.errors import Invalid
from xinzu.middle.credit.rules.pboc.accounts import month_number
from xinzu.middle.credit.rules.pboc.indicators import CORE, FURTHER, indicators_of
from xinzu.middle.credit.rules.pboc.nodes.report import PersonalReport
from xinzu.middle.credit.rules.pboc.reports import read_json, read_xml, to_json, to_xml
from xinzu.middle.credit.rules.pboc.synthetic import Profile, Subject, is_synthetic, synthetic_report

SUBJECTS = st.builds(
    Subject,
    name=st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=2, max_size=4),
    id_no=st.sampled_from(["11010519491231002X", "440305199001011239"]),
    reported_at=st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31)),  # noqa: DTZ001 (Beijing's time, as reports write it)
    phone=st.none() | st.just("13800138000"),
)
REPORTS = st.builds(synthetic_report, st.sampled_from(Profile), SUBJECTS, st.integers(0, 10**6))


@given(REPORTS)
@settings(max_examples=120, deadline=None)
def test_a_report_is_the_same_through_xml_and_json(report: PersonalReport) -> None:
    from_xml = read_xml(to_xml(report))
    from_json = read_json(json.loads(to_json(report)))
    assert from_xml.report == report
    assert from_json.report == report
    assert from_xml.unknown_nodes == from_json.unknown_nodes == ()
    assert indicators_of(from_xml.report) == indicators_of(from_json.report) == indicators_of(report)


@given(REPORTS)
@settings(max_examples=120, deadline=None)
def test_sums_dates_and_statuses_agree(report: PersonalReport) -> None:
    assert read_xml(to_xml(report)).doubts == ()
    assert is_synthetic(report)
    for account in report.accounts:
        months = [row.month for row in account.last_60_months.months] if account.last_60_months else []
        assert [month_number(after) - month_number(before) for before, after in pairwise(months)] == [1] * (
            len(months) - 1 if months else 0
        )
        state = account.latest_month
        if state is None:
            continue
        parts = (
            state.principal_31_60_days_fen,
            state.principal_61_90_days_fen,
            state.principal_91_180_days_fen,
            state.principal_over_180_days_fen,
        )
        assert sum(part or 0 for part in parts) <= max(state.overdue_fen or 0, 0)
        assert (state.overdue_fen or 0) <= (state.balance_fen or 0)
        assert ((state.overdue_fen or 0) > 0) == ((state.overdue_instalments or 0) > 0)


@given(st.sampled_from(Profile), SUBJECTS, st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_a_seed_gives_one_report(profile: Profile, subject: Subject, seed: int) -> None:
    assert synthetic_report(profile, subject, seed) == synthetic_report(profile, subject, seed)
    assert to_xml(synthetic_report(profile, subject, seed)) != to_xml(synthetic_report(profile, subject, seed + 1))


@given(SUBJECTS, st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_profiles_are_what_they_are_called(subject: Subject, seed: int) -> None:
    values = {profile: indicators_of(synthetic_report(profile, subject, seed)) for profile in Profile}
    assert all(set(found) == {*CORE, *FURTHER} for found in values.values())
    assert values[Profile.THIN]["pboc_acct_total_cnt"] == 1
    assert values[Profile.PRIME]["pboc_overdue_months_60m"] == values[Profile.PRIME]["pboc_bad_debt_cnt"] == 0
    assert (values[Profile.OVERDUE]["pboc_cur_overdue_amt"] or 0) > 0
    assert values[Profile.OVERDUE]["pboc_bad_debt_cnt"] == 0
    assert values[Profile.SPECIAL_BAD]["pboc_bad_debt_cnt"] == 2
    assert values[Profile.SPECIAL_BAD]["pboc_max_overdue_24m"] == 7
    assert (values[Profile.SPECIAL_BAD]["pboc_special_bad_cnt"], values[Profile.SPECIAL_BAD]["pboc_public_negative_cnt"]) == (
        1,
        3,
    )


JSON_TREES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Document", "PRH", "PA01", "PA01A", "PDA", "PD01", "PD01A", "PD01AI01", "POQ", "PH01"]), below
        )
    ),
    max_leaves=20,
)


@given(JSON_TREES | st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_in_is_read_or_refused_and_never_breaks(content: Any) -> None:
    try:
        if isinstance(content, bytes):
            read_xml(content)
        else:
            read_json(content)
    except Invalid:
        pass
