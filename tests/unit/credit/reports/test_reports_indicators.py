"""The 23 core indicators and four more, on a report written by hand in which every figure can be counted with a finger."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from xinzu.middle.credit.rules.pboc.accounts import longest_run, months_apart, severity
from xinzu.middle.credit.rules.pboc.indicators import CORE, FURTHER, indicators_of
from xinzu.middle.credit.rules.pboc.nodes.report import PersonalReport
from xinzu.middle.credit.rules.pboc.reports import read_json, read_xml, to_json

HANDMADE = Path(__file__).with_name("handmade.xml").read_bytes()


@pytest.fixture(scope="module")
def report() -> PersonalReport:
    return read_xml(HANDMADE).report


def test_the_handmade_report_is_read_whole() -> None:
    read = read_xml(HANDMADE)
    assert read.unknown_nodes == ()
    assert len(read.report.accounts) == 13
    assert read.report.score is not None
    assert read.report.score.reasons == ("01", "07")
    assert [residence.address for residence in read.report.residences] == ["北京市朝阳区", "天津市"]
    assert read_json(json.loads(to_json(read.report))).report == read.report


def test_there_are_23_core_indicators(report: PersonalReport) -> None:
    assert len(CORE) == 23
    assert len(FURTHER) == 4
    assert list(indicators_of(report)) == [*CORE, *FURTHER]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pboc_acct_total_cnt", 12),  # thirteen less the claim taken over
        ("pboc_open_loan_cnt", 4),  # ACC01, 02, 04, 05: bad is not settled
        ("pboc_open_card_cnt", 3),  # ACC06, 07, 09: not the dollars, the cancelled, the one not activated
        ("pboc_credit_history_months", 114),  # since 8 August 2016, on 2 March 2026
        ("pboc_last_open_months", 2),  # since 12 December 2025
        ("pboc_cur_overdue_acct_cnt", 2),
        ("pboc_cur_overdue_amt", 270_000),  # 2,000 and 700 yuan
        ("pboc_max_overdue_24m", 7),  # 呆账
        ("pboc_overdue_months_60m", 7),  # ACC02: four (one of them told by the 24 months only), ACC03: one, ACC05: two
        ("pboc_max_consec_overdue_12m", 3),  # December to February; September stands alone
        ("pboc_m2plus_cnt_6m", 3),  # ACC02 in February, ACC05 twice
        ("pboc_bad_debt_cnt", 2),
        ("pboc_non_normal_class_cnt", 2),  # ACC02 attention, ACC05 loss
        ("pboc_loan_balance", 90_400_000),  # 880,000 + 6,000 + 10,000 + 8,000
        ("pboc_loan_month_due", 660_000),  # 5,200 + 1,000 + 400
        ("pboc_card_limit_total", 8_000_000),
        ("pboc_card_util", Decimal("0.250000")),
        ("pboc_card_util_6m", Decimal("0.200000")),
        ("pboc_max_inst_limit", 5_000_000),
        ("pboc_guarantee_balance", 18_000_000),
        ("pboc_inq_org_1m", 3),
        ("pboc_inq_cnt_6m", 3),  # 20 February, 1 December, 2 September; 1 September lies outside, 01 is no approval
        ("pboc_public_negative_cnt", 2),  # tax, and the enforcement that goes on; the one closed in 2019 no longer counts
        ("pboc_d1_last_months", 8),
        ("pboc_consumer_fin_ratio", Decimal("0.166667")),  # two of twelve
        ("pboc_special_bad_cnt", 1),  # 代偿; an extension is not bad
        ("pboc_score", 642),
    ],
)
def test_indicator_of_the_handmade_report(report: PersonalReport, name: str, expected: object) -> None:
    assert indicators_of(report, [name]) == {name: expected}


def test_without_a_summary_the_accounts_speak(report: PersonalReport) -> None:
    detail = replace(report, summary=None, query_summary=None)
    values = indicators_of(detail)
    assert values["pboc_card_limit_total"] == 8_000_000  # the shared 50,000 once, and 30,000
    assert values["pboc_max_inst_limit"] == 5_000_000
    assert values["pboc_card_util"] == Decimal("0.250000")  # 12,000 + 3,000 + 5,000
    assert values["pboc_card_util_6m"] == Decimal("0.200000")
    assert values["pboc_bad_debt_cnt"] == 2
    assert values["pboc_guarantee_balance"] == 18_000_000
    assert values["pboc_inq_org_1m"] == 1


def test_who_has_no_credit_has_zeros_and_unknowns(report: PersonalReport) -> None:
    values = indicators_of(PersonalReport(header=report.header))
    unknown = {"pboc_credit_history_months", "pboc_last_open_months", "pboc_card_util", "pboc_card_util_6m"}
    unknown |= {"pboc_d1_last_months", "pboc_consumer_fin_ratio", "pboc_score"}
    assert {name for name, value in values.items() if value is None} == unknown
    assert {value for name, value in values.items() if name not in unknown} == {0}


def test_adverse_information_older_than_five_years_is_not_counted_regulation_on_credit_reporting_art_16(
    report: PersonalReport,
) -> None:
    """征信业管理条例 art. 16: five years from the end of the bad behaviour."""
    ended_long_ago, going_on = report.enforcements
    assert indicators_of(replace(report, tax_arrears=(), enforcements=(ended_long_ago,)))["pboc_public_negative_cnt"] == 0
    assert indicators_of(replace(report, tax_arrears=(), enforcements=(going_on,)))["pboc_public_negative_cnt"] == 1


def test_runs_severity_and_months() -> None:
    late = {date(2025, 11, 1): "1", date(2025, 12, 1): "2", date(2026, 2, 1): "3"}
    assert longest_run(late) == 2  # January was not reported
    assert [severity(status) for status in "N*M17BDZCGA/#"] == [0, 0, 0, 1, 7, 7, 3, 3, 0, 0, 0, 0, 0]
    assert months_apart(date(2025, 3, 3), date(2026, 3, 2)) == 11
