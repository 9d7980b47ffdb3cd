"""What a contract says, and that the rendered file says it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

import msgspec
import pypdf
import pytest
from tests.integration.decisions.people import terms

from xinzu.kernel.ids import new_id
from xinzu.kernel.money import from_yuan
from xinzu.kernel.terms import AgreementTerms, EndsIn, Family
from xinzu.middle.agreements.model import Contract
from xinzu.middle.agreements.rendering import RENDERER, render, template_sha256
from xinzu.middle.agreements.rules.contract import Customer, contract_content, cost_lines, instalment_lines

CUSTOMER = Customer("欧阳晓明", "330102199605040018", "13900000001", "浙江省杭州市西湖区文三路 90 号")
PHONE = terms()


def content(phone: AgreementTerms = PHONE, arbitration: str | None = "杭州仲裁委员会") -> bytes:
    return msgspec.json.encode(
        contract_content("XZ2026-000042", date(2026, 3, 2), "珊瑚数码租赁", CUSTOMER, phone, None, arbitration)
    )


def rental(made: bytes | None = None) -> Contract:
    return Contract(new_id(), Family.RENTAL, made or content())


def text_of(pdf: bytes) -> str:
    pages = pypdf.PdfReader(BytesIO(pdf)).pages
    return "".join(page.extract_text() for page in pages).replace("\n", "").replace(" ", "")


@pytest.fixture(scope="module")
def text() -> str:
    return text_of(render(rental()).pdf)


@pytest.mark.parametrize(
    "said",
    [
        "XZ2026-000042",
        "珊瑚数码租赁",
        "欧阳晓明",
        "330102199605040018",
        "示例手机15Pro256GB",
        "4,788.00元",
        "15.86%",
        "每日0.03%",
        "远程限制条款（版本2026-01",
        "杭州仲裁委员会",
        "第1页/共2页",
        "2026年3月2日",
    ],
)
def test_the_document_says_what_was_agreed(text: str, said: str) -> None:
    assert said in text


def test_the_same_contract_gives_the_same_bytes() -> None:
    first, again = render(rental()), render(rental())
    assert first.pdf == again.pdf
    assert (first.template_sha256, first.renderer) == (template_sha256(Family.RENTAL), RENDERER)


def test_it_is_an_archivable_file_with_its_font_inside() -> None:
    reader: Any = pypdf.PdfReader(BytesIO(render(rental()).pdf))
    assert reader.metadata is not None
    assert reader.metadata.title == "租赁合同 XZ2026-000042"
    xmp = reader.trailer["/Root"]["/Metadata"].get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in xmp
    fonts = {font.get_object()["/BaseFont"] for page in reader.pages for font in page["/Resources"]["/Font"].values()}
    assert all("NotoSansCJKsc-Regular" in name for name in fonts)


@pytest.mark.parametrize("period_count", [1, 2, 3, 24, 36])
def test_any_number_of_periods_fits(period_count: int) -> None:
    said = text_of(render(rental(content(replace(PHONE, period_count=period_count)))).pdf)
    assert f"共{period_count}期" in said
    assert ("起租日起满23个月之日" in said) == (period_count >= 24)


def test_without_buyout_and_commission_the_contract_says_so() -> None:
    plain = replace(PHONE, buyout_fen=None, annual_cost_pct=None)
    said = text_of(render(rental(content(plain, None))).pdf)
    assert "不提供买断" in said
    assert "不适用年化综合成本" in said
    assert "人民法院" in said
    assert "仲裁委员会" not in said


def test_what_a_name_contains_is_text_and_never_markup() -> None:
    customer = Customer('#panic("x") *粗* $x$ "引号" \\', "330102199605040018", "13900000001", None)
    made = msgspec.json.encode(contract_content("XZ2026-000042", date(2026, 3, 2), "<店>", customer, PHONE, None, None))
    assert '#panic("x")*粗*$x$' in text_of(render(rental(made)).pdf)


def test_the_instalments_sum_to_the_rent_and_every_cost_is_listed() -> None:
    lines = instalment_lines(PHONE)
    assert sum(from_yuan(amount.removesuffix(" 元").replace(",", "")) for _, _, amount in lines) == PHONE.rent_total_fen
    assert [item for item, _, _ in cost_lines(PHONE)] == [
        "租金",
        "押金",
        "提前归还费",
        "逾期违约金",
        "损坏或灭失赔偿",
        "买断价款",
    ]
    assert [item for item, _, _ in cost_lines(replace(PHONE, buyout_fen=None))][-1] == "损坏或灭失赔偿"


def said_of(**changes: Any) -> str:
    return text_of(render(rental(content(replace(PHONE, **changes)))).pdf)


def test_rents_paid_ahead_are_listed_as_due_on_the_first_day_and_come_back_with_the_thing() -> None:
    agreed = replace(PHONE, first_rents=3)
    lines = instalment_lines(agreed)
    assert [number for number, due, _ in lines if due == "起租日"] == ["1", "11", "12"]
    assert sum(from_yuan(amount.removesuffix(" 元").replace(",", "")) for _, _, amount in lines) == agreed.rent_total_fen
    said = said_of(first_rents=3)
    assert "承租人在起租日一次支付3期租金，共1,197.00元，为首期与租期最后2期的租金" in said
    assert "尚未开始的各期租金不再收取，已经预付的退还" in said
    assert "一次支付" not in text_of(render(rental()).pdf).split("二、租金与支付")[1].split("三、综合成本")[0]


def test_a_rental_to_own_says_when_the_thing_is_the_lessees_and_for_how_much() -> None:
    said = said_of(ends_in=EndsIn.OWN, buyout_fen=10_000)
    assert "归承租人所有（转移价款100.00元）" in said
    assert "付清全部租金、所有权转移价款100.00元以及其他应付款项之日起，租赁物归承租人所有，无须归还" in said
    assert "由押金与全部租金、所有权转移价款构成" in said
    assert "届满时可选" not in said
    free = said_of(ends_in=EndsIn.OWN, buyout_fen=0)
    assert "付清全部租金以及其他应付款项之日起，租赁物归承租人所有" in free
    assert "所有权转移价款租期届满时支付一次，付清后租赁物归承租人所有0.00元" in free


def test_the_prices_of_keeping_the_thing_are_listed_by_month() -> None:
    prices = (560_000, 560_000, 480_200, 121_100)
    said = said_of(buyout_prices_fen=prices, buyout_fen=121_100)
    assert "第1至2个月5,600.00第3个月4,802.00第4个月起1,211.00" in said
    assert "租期内承租人可以按第三条所列当月买断价款买断" in said
    assert "各月买断价款" not in text_of(render(rental()).pdf)


@pytest.mark.parametrize(
    ("policy", "where"),
    [
        ("following", "顺延至其后第一个工作日，"),
        ("preceding", "提前至其前最后一个工作日，"),
        ("modified_following", "在次月的，提前至"),
    ],
)
def test_where_a_due_date_on_a_day_off_goes_is_said(policy: str, where: str) -> None:
    said = said_of(due_shift=policy)
    assert "应付日为法定休假日或者休息日" in said
    assert where in said
    assert "应付日为法定休假日" not in text_of(render(rental()).pdf)
