"""An enterprise's report: read whole, refused by name, added up."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from xinzu.kernel.errors import Invalid
from xinzu.middle.credit.errors import ReportInvalid
from xinzu.middle.credit.rules.enterprise import (
    enterprise_facts,
    is_synthetic_enterprise,
    read_enterprise,
    write_enterprise,
)

DOCUMENT: dict[str, Any] = {
    "header": {
        "report_no": "ENT-2026-0001",
        "reported_at": "2026-03-02T08:00:00",
        "institution_code": "B10211000H0001",
        "reason": "24",
    },
    "basics": {
        "name": "珊瑚数码科技有限公司",
        "credit_code": "91350100M000100Y43",
        "legal_representative": "王小明",
        "established_on": "2019-06-01",
        "registered_capital_fen": 500_000_000,
        "status": "active",
        "shareholders": [{"name": "王小明", "share_bp": 6_000}, {"name": "李雷", "share_bp": 4_000}],
    },
    "loans": [
        {
            "lender": "演示银行",
            "opened_on": "2024-01-05",
            "lent_fen": 300_000_000,
            "balance_fen": 120_000_000,
            "overdue_fen": 2_000_000,
            "five_class": "2",
            "status": "open",
        },
        {"lender": "演示租赁", "opened_on": "2021-01-05", "lent_fen": 80_000_000, "balance_fen": 0, "status": "settled"},
    ],
    "litigation": [
        {"kind": "lawsuit", "case_no": "(2025)京01民初1号", "role": "defendant", "filed_on": "2025-05-01", "state": "open"},
        {"kind": "lawsuit", "case_no": "(2025)京01民初2号", "role": "plaintiff", "filed_on": "2025-06-01", "state": "open"},
        {"kind": "enforcement", "case_no": "(2023)京01执3号", "filed_on": "2023-05-01", "state": "closed"},
    ],
    "tax": {
        "arrears_fen": 4_500_000,
        "arrears_on": "2025-12-31",
        "years": [
            {"year": 2024, "rating": "B", "revenue_fen": 900_000_000},
            {"year": 2025, "rating": "A", "revenue_fen": 1_100_000_000},
        ],
    },
}


def test_a_report_is_read_whole_and_written_back() -> None:
    report, unknown = read_enterprise(DOCUMENT)
    assert unknown == ()
    assert read_enterprise(write_enterprise(report)) == (report, ())
    assert not is_synthetic_enterprise(report)


def test_what_it_comes_to() -> None:
    assert enterprise_facts(read_enterprise(DOCUMENT)[0]) == {
        "ent_age_months": 81,
        "ent_status": "active",
        "ent_open_loan_cnt": 1,
        "ent_loan_balance": 120_000_000,
        "ent_overdue_amt": 2_000_000,
        "ent_non_normal_class_cnt": 1,
        "ent_open_lawsuit_cnt": 1,  # where it is sued, not where it sues
        "ent_enforced_cnt": 0,
        "ent_dishonest_cnt": 0,
        "ent_tax_arrears": 4_500_000,
        "ent_tax_rating": "A",
        "ent_revenue_last_year": 1_100_000_000,
    }


@pytest.mark.parametrize(
    ("spoil", "path"),
    [
        (lambda d: d.pop("basics"), "/document/basics"),
        (lambda d: d["basics"].pop("credit_code"), "/document/basics/credit_code"),
        (lambda d: d["basics"].update(status="asleep"), "/document/basics/status"),
        (lambda d: d["loans"][0].update(balance_fen=-1), "/document/loans[1]/balance_fen"),
        (lambda d: d["loans"][0].update(balance_fen=300_000_001), "/document/loans[1]/balance_fen"),
        (lambda d: d["loans"][0].update(overdue_fen=120_000_001), "/document/loans[1]/overdue_fen"),
        (lambda d: d["loans"][1].update(balance_fen=1), "/document/loans[2]/status"),
        (lambda d: d["litigation"][1].update(filed_on="2026-03-03"), "/document/litigation[2]/filed_on"),
        (lambda d: d["basics"]["shareholders"][0].update(share_bp=9_000), "/document/basics/shareholders"),
        (lambda d: d["tax"]["years"][0].update(year=2025), "/document/tax/years"),
    ],
)
def test_what_is_wrong_is_named(spoil: Callable[[dict[str, Any]], object], path: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    spoil(document)
    with pytest.raises(ReportInvalid) as problem:
        read_enterprise(document)
    assert path in {error.pointer for error in problem.value.errors}


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(Invalid):
        read_enterprise([])
