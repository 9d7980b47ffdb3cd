"""Which fields a plan of each family has, and what the law says a thing to lease or money to lend may be."""

from __future__ import annotations

from collections.abc import Sequence

from xinzu.kernel.errors import Invalid
from xinzu.kernel.terms import EndsIn, Family


def rental_amounts(
    rent_fen: int | None, device_value_fen: int | None, residual_value_fen: int | None, buyout_fen: int | None
) -> tuple[int, int]:
    """Rent and device value of a rental, in fen. Raises Invalid naming the first field that is missing.

    >>> rental_amounts(39_900, 599_900, 170_000, None)
    (39900, 599900)
    """
    if rent_fen is None:
        raise Invalid.field("/rent_fen", "catalogue.rent_missing", "请填写每期租金", "Give the rent per period")
    if device_value_fen is None:
        raise Invalid.field(
            "/device_value_fen", "catalogue.device_value_missing", "请填写设备价值", "Give the value of the device"
        )
    if residual_value_fen is None and buyout_fen is None:
        raise Invalid.field(
            "/residual_value_fen",
            "catalogue.end_value_missing",
            "请填写预计残值或留购价至少一项，否则无法计算年化成本",
            "Give the expected residual value or the buyout: without either the annual cost cannot be told",
        )
    return rent_fen, device_value_fen


def check_rental_ways(
    *,
    is_financed: bool,
    ends_in: EndsIn,
    first_rents: int,
    period_count: int,
    term_months: int,
    residual_value_fen: int | None,
    buyout_fen: int | None,
    buyout_prices_fen: Sequence[int],
    moves_dues_back: bool,
) -> None:
    """Raises Invalid naming the first field of the ways a rental is paid and ends that cannot be, or that is not a financing's. Amounts in
    fen.

    ``moves_dues_back``: a due date may come to be earlier than agreed. Of a financing that would ask for interest before it has accrued,
    which is to deduct it in advance (Civil Code art. 670).

    >>> check_rental_ways(is_financed=False, ends_in=EndsIn.OWN, first_rents=3, period_count=12, term_months=12, residual_value_fen=None,
    ...                   buyout_fen=0, buyout_prices_fen=(300_000, 0), moves_dues_back=True)
    """
    refusals = (
        (
            is_financed and first_rents > 1,
            "/first_rents",
            "catalogue.first_rents_of_rentals",
            "仅租赁可在起租时支付多期租金，融资方案请使用 financing.timing、financing.weights",
            "Only a rental has several rents at the start: a financing uses financing.timing and financing.weights",
        ),
        (
            is_financed and ends_in is EndsIn.OWN,
            "/ends_in",
            "catalogue.ends_in_of_rentals",
            "仅租赁方案填写 ends_in：融资租赁付清后的归属由留购价款约定",
            "Only a rental has it: who owns a financed thing in the end follows from its residual value or buyout",
        ),
        (
            is_financed and len(buyout_prices_fen) > 0,
            "/buyout_prices_fen",
            "catalogue.buyout_prices_of_rentals",
            "仅租赁可约定各月买断价：融资方案请按提前结清办理",
            "Only a rental has them: a financing is settled early",
        ),
        (
            is_financed and moves_dues_back,
            "/due_shift",
            "catalogue.due_before_interest",
            "融资方案的应付日不得提前，否则利息在产生前即已收取（民法典第 670 条），请使用 following 或 none",
            "A financing's due dates cannot move back: interest would be asked for before it has accrued (Civil Code art. 670). Take"
            " following or none",
        ),
        (
            first_rents > period_count,
            "/first_rents",
            "catalogue.first_rents_beyond_term",
            f"起租时支付的租金不得多于 {period_count} 期",
            f"At most the {period_count} rents of the term can be paid at the start",
        ),
        (
            ends_in is EndsIn.OWN and buyout_fen is None,
            "/buyout_fen",
            "catalogue.transfer_price_missing",
            "租完归送请填写期满转移所有权的价款，无价款的填 0",
            "A rental that ends in ownership needs the price of the transfer: 0 where there is none",
        ),
        (
            ends_in is EndsIn.OWN and residual_value_fen is not None,
            "/residual_value_fen",
            "catalogue.residual_stays_with_lessee",
            "租完归送的租赁物不收回，请勿填写残值",
            "The thing does not come back from a rental that ends in ownership: leave the residual value out",
        ),
        (
            len(buyout_prices_fen) > term_months,
            "/buyout_prices_fen",
            "catalogue.buyout_prices_beyond_term",
            f"租期为 {term_months} 个月，买断价不得多于 {term_months} 项",
            f"The term is {term_months} months: name at most as many prices",
        ),
        (
            len(buyout_prices_fen) > 0 and buyout_prices_fen[-1] != buyout_fen,
            "/buyout_fen",
            "catalogue.buyout_differs_from_table",
            "最后一个月的买断价其后一直有效，buyout_fen 须与其相同",
            "The last price of the table stands from then on: buyout_fen must be the same",
        ),
    )
    for is_wrong, pointer, code, zh, en in refusals:
        if is_wrong:
            raise Invalid.field(pointer, code, zh, en)


def check_financed_fields(
    *,
    is_loan: bool,
    principal_fen: int,
    annual_rate_pct: str | None,
    rent_fen: int | None,
    deposit_fen: int,
    device_value_fen: int | None,
    residual_value_fen: int | None,
    buyout_fen: int | None,
) -> None:
    """Raises Invalid naming the first field of a finance lease or a loan that is missing or does not belong to it. Amounts in fen.

    Not more is financed than the thing is worth (Supreme People's Court, finance lease interpretation 2020, art. 1: value against rents
    tells whether it is a finance lease); nothing is held back from what is lent (Civil Code art. 670).
    """
    refusals = (
        (
            rent_fen is not None and annual_rate_pct is not None,
            "/rent_fen",
            "catalogue.rent_is_computed",
            "每期金额由融资条款推算，请勿填写；若要由每期金额反求利率，请不填 annual_rate_pct",
            "The instalment is computed: leave it out, or leave annual_rate_pct out to have the rate solved for",
        ),
        (
            rent_fen is None and annual_rate_pct is None,
            "/financing/annual_rate_pct",
            "catalogue.rate_missing",
            "请填写年利率，或填写每期金额 rent_fen 以反求利率",
            "Give the annual rate, or rent_fen to have the rate solved for",
        ),
        (
            residual_value_fen is not None,
            "/residual_value_fen",
            "catalogue.residual_is_balloon",
            "融资方案的残值请填写在 financing.balloon_fen",
            "The residual value of a financing is financing.balloon_fen: give it there",
        ),
        (
            is_loan and device_value_fen is not None,
            "/device_value_fen",
            "catalogue.loan_has_no_device",
            "借款没有租赁物，请勿填写",
            "A loan has no leased thing: leave it out",
        ),
        (
            is_loan and buyout_fen is not None,
            "/buyout_fen",
            "catalogue.loan_has_no_buyout",
            "借款没有留购价，尾款请填写在 financing.balloon_fen",
            "A loan has no buyout: a balloon is financing.balloon_fen",
        ),
        (
            is_loan and deposit_fen > 0,
            "/deposit_fen",
            "catalogue.loan_takes_no_deposit",
            "借款不得预先扣除利息，也不得以保证金变相扣减本金（民法典第 670 条），请填 0",
            "Nothing may be held back from what is lent, not as a deposit either (Civil Code art. 670): give 0",
        ),
        (
            not is_loan and device_value_fen is None,
            "/device_value_fen",
            "catalogue.device_value_missing",
            "请填写租赁物价款",
            "Give the price of the leased thing",
        ),
        (
            not is_loan and principal_fen > (device_value_fen or 0),
            "/financing/principal_fen",
            "catalogue.financed_above_value",
            "融资额不得高于租赁物价款（融资租赁司法解释第 1 条），请降低融资额",
            "Not more can be financed than the thing is worth (finance lease interpretation art. 1): lower the principal",
        ),
    )
    for is_wrong, pointer, code, zh, en in refusals:
        if is_wrong:
            raise Invalid.field(pointer, code, zh, en)


def check_cash_is_lent(is_cash: bool, family: Family) -> None:
    """Raises Invalid where money is to be rented out or leased: a lease needs a thing (Civil Code arts. 703, 735), and a finance lease
    of a sham one is void (art. 737)."""
    if is_cash and family is not Family.LOAN:
        raise Invalid.field(
            "/product_id",
            "catalogue.cash_is_only_lent",
            "资金不能作为租赁物（民法典第 703、735、737 条），请使用 financing.family = loan",
            "Money is not a thing to lease (Civil Code arts. 703, 735, 737): set financing.family to loan",
        )
