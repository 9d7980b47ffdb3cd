"""What the contracts of rents by the day, periods of days, tranches, rates in steps and leased-back things say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from io import BytesIO

import msgspec
import pypdf
from tests.integration.agreements.stories import lease, loan
from tests.integration.decisions.people import terms

from xinzu.kernel.ids import new_id
from xinzu.kernel.terms import AgreementTerms, DailyRent, PriceBand, RateStep, Tranche
from xinzu.middle.agreements.commands.disclosure import disclosure_of
from xinzu.middle.agreements.model import Contract
from xinzu.middle.agreements.rendering import render
from xinzu.middle.agreements.rules.contract import Customer, contract_content

ON = date(2026, 3, 2)
CUSTOMER = Customer("欧阳晓明", "330102199605040018", "13900000001", "浙江省杭州市西湖区文三路 90 号")
RENT = DailyRent(bands=(PriceBand(1, 3_000), PriceBand(8, 2_000)), month_days_max=25)


def text_of(agreed: AgreementTerms) -> str:
    content = contract_content("XZ2026-000042", ON, "珊瑚租赁", CUSTOMER, agreed, disclosure_of(agreed, ON), None)
    pdf = render(Contract(new_id(), agreed.family, msgspec.json.encode(content))).pdf
    return "".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages).replace("\n", "").replace(" ", "")


def financed(agreed: AgreementTerms, **changes: object) -> AgreementTerms:
    assert agreed.financing is not None
    return replace(agreed, financing=replace(agreed.financing, **changes))  # type: ignore[arg-type]


def test_a_rental_by_the_day_names_its_prices_caps_and_what_further_days_cost() -> None:
    agreed = replace(
        terms(), period_months=0, period_days=1, period_count=45, rent_fen=57_000, total_fen=85_000, daily=RENT, buyout_fen=None
    )
    said = text_of(agreed)
    assert "45日（起租日与归还日均计入）" in said
    assert "第1日起每日30.00元，第8日起每日20.00元；每月最多计25日" in said
    assert "超期各日按同一价档与封顶连续计租" in said
    assert "租金按实际天数依同一价档重新计算，多付的退还" in said
    assert "起租日起满1个月之日280.00元" in said
    assert "归还当期租金不退" not in said


def test_a_rental_by_the_fortnight_counts_its_due_days_in_days() -> None:
    said = text_of(replace(terms(), period_months=0, period_days=15, period_count=4))
    assert "60日，共4期" in said
    assert "起租日起满45日之日" in said


def test_a_loan_in_tranches_with_a_rate_in_steps_says_when_and_how_much() -> None:
    agreed = loan()
    assert agreed.financing is not None
    half_fen = agreed.financing.principal_fen // 2
    said = text_of(
        financed(
            agreed,
            tranches=(Tranche(0, agreed.financing.principal_fen - half_fen), Tranche(40, half_fen)),
            rate_steps=(RateStep(3, "6"),),
        )
    )
    assert "起算日后第40日支付" in said
    assert "各笔自其到账之日起计息" in said
    assert "自第3期首日起年利率为6%" in said
    assert "按约定调整" in said
    assert "固定不变。利息、费用" not in said.split("五、利率")[1].split("此外固定不变")[0]


def test_art_735_a_sale_and_leaseback_is_named_and_the_lessee_warrants_its_title() -> None:
    said = text_of(financed(lease(), is_leaseback=True))
    assert "融资租赁合同（售后回租）" in said
    assert "承租人将自有的租赁物出卖给出租人" in said
    assert "不属于公益设施或者法律、行政法规禁止转让的财产" in said
    assert "承租人自主选定租赁物和出卖人" not in said
    plain = text_of(lease())
    assert "售后回租" not in plain


def test_art_670_a_due_date_that_moves_back_ends_its_interest() -> None:
    said = text_of(replace(loan(), due_shift="preceding"))
    assert "提前至其前最后一个工作日，当期计息期间至该日止" in said
    assert "计息期间与各期金额不因此增减" in text_of(replace(loan(), due_shift="following"))
