"""What the contracts of a finance lease and a loan say, article by article, and that the rendered files say it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from io import BytesIO

import msgspec
import pypdf
import pytest
from tests.integration.agreements.stories import lease, loan
from tests.integration.decisions.people import terms

from xinzu.back.billing.rules.schedules.terms import DayCount, InterestDays, Method, Timing
from xinzu.kernel.errors import InvariantBroken
from xinzu.kernel.ids import new_id
from xinzu.kernel.money import Rounding, from_yuan
from xinzu.kernel.terms import AgreementTerms, Family, Financing
from xinzu.middle.agreements.commands.disclosure import disclosure_of
from xinzu.middle.agreements.model import Contract, Disclosure
from xinzu.middle.agreements.rendering import render, template_sha256
from xinzu.middle.agreements.rules import financing as rule
from xinzu.middle.agreements.rules.contract import Customer, contract_content

ON = date(2026, 3, 2)
CUSTOMER = Customer("欧阳晓明", "330102199605040018", "13900000001", "浙江省杭州市西湖区文三路 90 号")


def text_of(agreed: AgreementTerms, arbitration: str | None = None) -> str:
    content = contract_content("XZ2026-000042", ON, "珊瑚汽车租赁", CUSTOMER, agreed, disclosure_of(agreed, ON), arbitration)
    pdf = render(Contract(new_id(), agreed.family, msgspec.json.encode(content))).pdf
    return "".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages).replace("\n", "").replace(" ", "")


def disclosed_of(agreed: AgreementTerms) -> Disclosure:
    disclosed = disclosure_of(agreed, ON)
    assert disclosed is not None
    return disclosed


def financing_of(agreed: AgreementTerms) -> Financing:
    assert agreed.financing is not None
    return agreed.financing


@pytest.fixture(scope="module")
def lease_text() -> str:
    return text_of(lease(), "杭州仲裁委员会")


@pytest.fixture(scope="module")
def loan_text() -> str:
    return text_of(loan())


# --- finance lease ---------------------------------------------------------------------------------------------------------


def test_art_735_the_lessee_chose_thing_and_seller(lease_text: str) -> None:
    assert "融资租赁合同" in lease_text
    assert "出租人根据承租人的选择向出卖人购买租赁物" in lease_text


@pytest.mark.parametrize(
    "said",
    ["示例牌纯电动轿车2026款", "129,800.00元", "25,960.00元", "103,840.00元", "7.2%（固定）", "36个月，共36期", "30,000.00元"],
)
def test_art_736_the_contract_names_thing_term_and_what_the_rent_is_made_of(lease_text: str, said: str) -> None:
    assert said in lease_text


def test_art_745_the_lessors_title_is_registered(lease_text: str) -> None:
    assert "租赁期限内租赁物的所有权属于出租人；未经登记，不得对抗善意第三人" in lease_text
    assert "动产融资统一登记公示系统" in lease_text


def test_art_751_rents_go_on_when_the_thing_is_lost(lease_text: str) -> None:
    assert "毁损、灭失的，出租人有权请求承租人继续支付租金" in lease_text


def test_art_752_a_demand_comes_before_all_rents_or_termination_and_one_excludes_the_other(lease_text: str) -> None:
    assert "经出租人催告后在不少于十五日的合理期限内仍不支付的" in lease_text
    assert "可以请求支付全部租金，也可以解除合同、收回租赁物，二者择一" in lease_text


def test_arts_757_and_758_the_thing_becomes_the_lessees_and_a_surplus_is_returned(lease_text: str) -> None:
    assert "付清全部租金与留购价款30,000.00元以及其他应付款项之日起，租赁物归承租人所有" in lease_text
    assert "价值超过承租人欠付的租金以及其他费用的部分，由出租人返还承租人" in lease_text


def test_a_leased_vehicle_is_never_restricted_from_afar(lease_text: str) -> None:
    assert "本合同不设远程限制、锁定租赁物的权利" in lease_text
    assert "远程限制条款" not in lease_text


# --- loan ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["借款合同", "12,000.00元", "9.6%（固定）", "12个月，共12期", "家电分期（消费）", "等额本息"])
def test_art_668_the_contract_names_sum_rate_term_purpose_and_repayment(loan_text: str, said: str) -> None:
    assert said in loan_text


def test_art_670_nothing_is_deducted_in_advance(loan_text: str) -> None:
    assert "利息和费用不得预先在本金中扣除；预先扣除的，按照实际借款数额返还借款并计算利息" in loan_text


def test_art_677_early_repayment_costs_interest_for_the_actual_time_only(loan_text: str) -> None:
    assert "按照实际借款的期间计算利息（第六百七十七条），不收取任何费用" in loan_text
    charged = text_of(replace(loan(), early_return_fee_fen=10_000))
    assert "全部提前偿还时一次支付提前还款费100.00元" in charged


def test_art_680_usury_is_forbidden(loan_text: str) -> None:
    assert "禁止高利放贷，借款的利率不得违反国家有关规定" in loan_text


# --- both ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("agreed", "began"), [(lease(), "起租日"), (loan(), "放款日")], ids=["lease", "loan"])
def test_the_schedule_counts_from_the_drafting_day_and_says_so(agreed: AgreementTerms, began: str) -> None:
    said = text_of(agreed)
    assert f"下表以预计{began}（2026年3月2日）计算" in said
    assert f"自实际{began}起推算" in said
    for line in rule.schedule_lines(disclosed_of(agreed).schedule):
        assert "".join(line[:2]) in said
        assert line[-1] in said


@pytest.mark.parametrize("agreed", [lease(), lease(subsidy_fen=384_000), loan(), loan(method="bullet")])
def test_the_schedule_repays_the_principal_and_its_sums_are_those_of_its_rows(agreed: AgreementTerms) -> None:
    financing = financing_of(agreed)
    lines = disclosed_of(agreed).schedule
    principal, interest, fee, total = (from_yuan(figure.replace(",", "")) for figure in rule.sums(lines))
    assert principal == financing.principal_fen - financing.subsidy_fen
    assert fee == financing.upfront_fee_fen
    assert principal + interest + fee == total == agreed.rent_total_fen
    assert lines[-1].balance_fen == 0


@pytest.mark.parametrize("agreed", [lease(), loan()], ids=["lease", "loan"])
def test_the_cost_table_names_item_way_standard_and_receiver_and_the_annual_cost(agreed: AgreementTerms) -> None:
    said = text_of(agreed)
    assert "综合融资成本明示表（须单独确认）" in said
    assert f"年化综合融资成本为{agreed.annual_cost_pct}%" in said
    for what, *_, who in rule.cost_lines(disclosed_of(agreed).costs):
        assert what.replace(" ", "") in said
        assert who in said


def test_what_the_lessee_pays_in_performance_stands_in_the_cost_table() -> None:
    agreed = replace(lease(), deposit_fen=500_000)
    costs = {item: amount for item, _, _, amount, _ in rule.cost_lines(disclosed_of(agreed).costs)}
    assert from_yuan(costs["租金合计"].replace(",", "")) == agreed.rent_total_fen
    assert (costs["首付款"], costs["保证金"], costs["留购价款（残值）"]) == ("25,960.00", "5,000.00", "30,000.00")
    assert costs["逾期违约金"] == "—"
    assert "承租人在交付前支付保证金5,000.00元" in text_of(agreed)


def test_art_757_a_buyout_is_the_lessees_choice_at_the_end() -> None:
    agreed = replace(lease(method="equal_instalment", balloon_fen=0), buyout_fen=100_000)
    said = text_of(agreed)
    assert "承租人可以另付留购价1,000.00元取得租赁物的所有权，也可以返还租赁物" in said


def test_a_financing_without_an_annual_cost_has_no_contract() -> None:
    with pytest.raises(InvariantBroken):
        text_of(replace(loan(), annual_cost_pct=None))


def test_pipl_arts_13_and_24_consents_and_review_stand_in_every_contract(lease_text: str, loan_text: str) -> None:
    for said in (lease_text, loan_text):
        assert "核验身份、自动化信用评估分别以" in said
        assert "有权要求说明并申请人工复核" in said
    assert "登记可供公众查询" in lease_text
    assert "不向征信机构查询或者报送信息" in loan_text


def test_graces_and_a_subsidy_are_said_in_words() -> None:
    said = text_of(loan(grace_principal=2, interest_free=1, subsidy_fen=20_000))
    assert "前2期只付利息、不还本金；前1期不计利息" in said
    assert "200.00元由供应商贴付，不由借款人偿还" in said
    assert "前 3 期的利息递延至其后一期支付" in rule.grace_lines(financing_of(loan(grace_interest=3)))


def test_a_lease_without_residual_and_down_payment_says_so() -> None:
    agreed = lease(method="equal_instalment", balloon_fen=0, upfront_fee_fen=0)
    said = text_of(replace(agreed, device_value_fen=financing_of(agreed).principal_fen))
    assert "付清全部租金以及其他应付款项之日起，租赁物归承租人所有" in said
    assert "手续费" not in said
    assert "首付款无" in said


def test_every_convention_of_the_engine_has_words() -> None:
    """A plan may be published with any of them, and its contract must not fail."""
    assert rule.METHODS_ZH.keys() == set(Method)
    assert rule.TIMINGS_ZH.keys() == set(Timing)
    assert rule.DAY_COUNTS_ZH.keys() == set(DayCount)
    assert rule.ROUNDINGS_ZH.keys() == set(Rounding)
    by_period = financing_of(loan(interest_days=InterestDays.PERIOD))
    assert rule.interest_days_zh(by_period) == rule.INTEREST_BY_PERIOD_ZH


def test_each_family_has_its_own_wording_and_a_rental_no_schedule_of_a_financing() -> None:
    assert len({template_sha256(family) for family in Family}) == len(Family)
    assert disclosure_of(terms(), ON) is None
