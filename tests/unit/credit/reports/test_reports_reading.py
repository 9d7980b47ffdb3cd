"""What is refused names the node and the remedy; what can be read is read whatever the form it comes in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xinzu.kernel.errors import Invalid
from xinzu.middle.credit.errors import ReportInvalid
from xinzu.middle.credit.rules.pboc.codes import ACCOUNT_STATUS_ZH, ACCOUNT_TYPE_ZH
from xinzu.middle.credit.rules.pboc.reports import read_json, read_xml, to_json

HANDMADE = Path(__file__).with_name("handmade.xml").read_bytes()
FIRST = "/Document/PDA/PD01[1]"


def tree() -> dict[str, Any]:
    """The handmade report as JSON, to be spoiled."""
    found: dict[str, Any] = json.loads(to_json(read_xml(HANDMADE).report))
    return found


def account(document: dict[str, Any], number: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = document["Document"]["PDA"]["PD01"][number]
    return found


def refused(spoil: Callable[[dict[str, Any]], object]) -> dict[str, str]:
    """The paths and codes that a spoiled report is refused with."""
    document = tree()
    spoil(document)
    with pytest.raises(ReportInvalid) as problem:
        read_json(document)
    for error in problem.value.errors:
        assert error.pointer in error.detail_zh
        assert error.pointer in error.detail_en
    return {error.pointer: error.code.removeprefix("credit.") for error in problem.value.errors}


@pytest.mark.parametrize(
    ("spoil", "path", "code"),
    [
        (lambda d: d["Document"].pop("PRH"), "/Document/PRH/PA01", "node_missing"),
        (lambda d: d["Document"]["PRH"]["PA01"]["PA01A"].pop("PA01AI01"), "/Document/PRH/PA01/PA01A/PA01AI01", "field_missing"),
        (
            lambda d: d["Document"]["PRH"]["PA01"]["PA01A"].update(PA01AR01="2026-02-30T09:00:00"),
            "/Document/PRH/PA01/PA01A/PA01AR01",
            "field_unreadable",
        ),
        (
            lambda d: d["Document"]["PRH"]["PA01"]["PA01B"].update(PA01BD02="99"),
            "/Document/PRH/PA01/PA01B/PA01BD02",
            "field_unreadable",
        ),
        (lambda d: d["Document"]["PRH"].update(PA01=[d["Document"]["PRH"]["PA01"]] * 2), "/Document/PRH/PA01", "node_repeated"),
        (lambda d: d["Document"].update(PDA=["x"]), "/Document/PDA", "node_expected"),
        (lambda d: d["Document"]["PDA"]["PD01"].append("text"), "/Document/PDA/PD01[14]", "node_expected"),
        (lambda d: account(d)["PD01A"].update(PD01AD01="D9"), f"{FIRST}/PD01A/PD01AD01", "field_unreadable"),
        (lambda d: account(d)["PD01A"].update(PD01AJ01="1000.5"), f"{FIRST}/PD01A/PD01AJ01", "field_unreadable"),
        (lambda d: account(d)["PD01A"].update(PD01AS01="-1"), f"{FIRST}/PD01A/PD01AS01", "field_unreadable"),
        (lambda d: account(d)["PD01A"].update(PD01AJ01=True), f"{FIRST}/PD01A/PD01AJ01", "text_expected"),
        (lambda d: account(d)["PD01A"].update(PD01AJ01=10**5000), f"{FIRST}/PD01A/PD01AJ01", "text_expected"),
        (lambda d: account(d)["PD01A"].update(PD01AJ01=10**12), f"{FIRST}/PD01A/PD01AJ01", "field_unreadable"),
        (
            lambda d: account(d)["PD01E"]["PD01EH"][0].update(PD01ED01="Q"),
            f"{FIRST}/PD01E/PD01EH[1]/PD01ED01",
            "field_unreadable",
        ),
        (
            lambda d: account(d)["PD01E"]["PD01EH"][0].update(PD01ER03="2026-13"),
            f"{FIRST}/PD01E/PD01EH[1]/PD01ER03",
            "field_unreadable",
        ),
        (lambda d: account(d)["PD01E"]["PD01EH"].pop(), f"{FIRST}/PD01E/PD01ES01", "rows_missing"),
        (lambda d: account(d, 1)["PD01F"]["PD01FH"].pop(), "/Document/PDA/PD01[2]/PD01F/PD01FS01", "rows_missing"),
        (lambda d: account(d)["PD01E"]["PD01EH"][0].update(PD01ER03="2026-02"), f"{FIRST}/PD01E/PD01EH", "month_twice"),
        (lambda d: account(d)["PD01E"]["PD01EH"][0].update(PD01ER03="2026-04"), f"{FIRST}/PD01E/PD01EH", "after_report"),
        (lambda d: account(d)["PD01A"].update(PD01AR01="2026-03-03"), f"{FIRST}/PD01A/PD01AR01", "after_report"),
        (
            lambda d: account(d, 2)["PD01B"].update(PD01BR01="2019-01-01"),
            "/Document/PDA/PD01[3]/PD01B/PD01BR01",
            "closed_before_opened",
        ),
        (lambda d: account(d)["PD01B"].update(PD01BD01="31"), f"{FIRST}/PD01B/PD01BD01", "status_not_of_type"),
        (
            lambda d: d["Document"]["POQ"]["PH01"][0].update(PH010R01="2026-03-03"),
            "/Document/POQ/PH01[1]/PH010R01",
            "after_report",
        ),
    ],
)
def test_a_wrong_node_is_named_with_its_path(spoil: Callable[[dict[str, Any]], object], path: str, code: str) -> None:
    assert refused(spoil).get(path) == code


def test_every_wrong_node_is_named_at_once() -> None:
    def spoil(document: dict[str, Any]) -> None:
        account(document, 0)["PD01A"]["PD01AD01"] = ""
        account(document, 1)["PD01E"]["PD01EH"][2]["PD01ED01"] = "?"

    assert refused(spoil) == {
        f"{FIRST}/PD01A/PD01AD01": "field_missing",
        "/Document/PDA/PD01[2]/PD01E/PD01EH[3]/PD01ED01": "field_unreadable",
    }


@pytest.mark.parametrize("type_", sorted(ACCOUNT_TYPE_ZH))
def test_each_type_of_account_takes_its_own_statuses_and_no_others(type_: str) -> None:
    for status in ("1", "2", "3", "31", "4", "5", "6", "7", "8"):
        document = tree()
        document["Document"].pop("PCO")
        document["Document"]["PDA"]["PD01"] = [account(document)]
        account(document)["PD01A"]["PD01AD01"] = type_
        account(document)["PD01B"]["PD01BD01"] = status
        account(document).pop("PD01C")
        if status in ACCOUNT_STATUS_ZH[type_]:
            assert read_json(document).report.accounts[0].status == status
        else:
            with pytest.raises(ReportInvalid):
                read_json(document)


def test_a_node_nobody_knows_is_kept_by_name_and_not_lost_silently() -> None:
    document = tree()
    account(document)["PD01A"]["PD01AX99"] = "1"
    document["Document"]["PZZ"] = {"PZ01": "1"}
    read = read_json(document)
    assert set(read.unknown_nodes) == {f"{FIRST}/PD01A/PD01AX99", "/Document/PZZ"}
    assert read.report == read_xml(HANDMADE).report


def test_a_summary_that_differs_from_its_accounts_is_a_doubt_and_not_a_refusal() -> None:
    document = tree()
    document["Document"]["PCO"]["PC02"]["PC02H"]["PC02HJ04"] = "21000"
    doubts = {doubt.pointer: doubt.code for doubt in read_json(document).doubts}
    assert doubts["/Document/PCO/PC02/PC02H/PC02HJ04"] == "credit.summary_differs"


def test_histories_that_differ_are_a_doubt_and_the_five_years_count() -> None:
    document = tree()
    account(document, 1)["PD01D"]["PD01DH"][1]["PD01DD01"] = "N"
    assert "credit.histories_differ" in {doubt.code for doubt in read_json(document).doubts}


def test_json_without_a_root_and_with_numbers_is_the_same_report() -> None:
    document = tree()["Document"]
    document["PDA"]["PD01"][0]["PD01A"]["PD01AJ01"] = 1_000_000
    assert read_json(document).report == read_xml(HANDMADE).report


def test_a_single_repeated_node_may_come_without_a_list() -> None:
    document = tree()
    document["Document"]["PDA"]["PD01"] = account(document)
    assert len(read_json(document).report.accounts) == 1


def test_a_report_in_gb18030_is_the_same_report() -> None:
    text = HANDMADE.decode().replace('encoding="UTF-8"', 'encoding="GB18030"')
    assert read_xml(text.encode("gb18030")).report == read_xml(HANDMADE).report
    assert read_xml(b"\xef\xbb\xbf" + HANDMADE).report == read_xml(HANDMADE).report


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not xml",
        b"<Document>",
        b"<Report><PRH/></Report>",
        b"<Document/>",
        b'<?xml version="1.0" encoding="shift_jis"?><Document><PRH/></Document>',
        b'<?xml version="1.0" encoding="GBK"?><Document>\xff\xff</Document>',
        b'<!DOCTYPE Document [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Document>&b;</Document>',
        b'<!DOCTYPE Document SYSTEM "file:///etc/passwd"><Document/>',
        b"<Document>" * 50,
    ],
)
def test_what_is_no_report_is_refused_and_entities_are_never_expanded(content: bytes) -> None:
    with pytest.raises(Invalid) as problem:
        read_xml(content)
    assert problem.value.errors[0].code == "credit.document_unreadable"


@pytest.mark.parametrize("document", [None, [], "x", 3])
def test_json_that_is_no_object_is_refused(document: object) -> None:
    with pytest.raises(Invalid):
        read_json(document)
