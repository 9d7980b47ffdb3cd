"""Which fields a plan of each family has, and what the law says a thing to lease or money to lend may be."""

from __future__ import annotations

from collections.abc import Sequence

from xinzu.front.catalogue.errors import DaysRefused
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


PERIODS_OF_MONTHS_MAX, PERIODS_OF_DAYS_MAX, DAYS_MAX = 60, 104, 366


def period_length(period_months: int | None, period_days: int | None, *, is_daily: bool) -> tuple[int, int]:
    """Months and days of a period, one of them 0: a month where nothing is said, a day where rent is by the day. Raises Invalid where too
    much is said.

    >>> period_length(None, None, is_daily=False), period_length(None, 15, is_daily=False), period_length(None, None, is_daily=True)
    ((1, 0), (0, 15), (0, 1))
    """
    if is_daily and not period_months is period_days is None:
        raise Invalid.field(
            "/period_days" if period_months is None else "/period_months",
            "catalogue.daily_has_no_periods",
            "按天计租不分期，请勿填写",
            "Rent by the day has no periods: leave it out",
        )
    if period_months is not None and period_days is not None:
        raise Invalid.field(
            "/period_days",
            "catalogue.period_said_twice",
            "每期长度请只填 period_months 或 period_days 其一",
            "A period is of months or of days: give one of the two",
        )
    if is_daily:
        return 0, 1
    return (period_months or 1, 0) if period_days is None else (0, period_days)


def check_period_count(period_count: int, *, is_daily: bool, is_in_days: bool) -> None:
    """Raises Invalid for more periods than a term of their length has."""
    most = DAYS_MAX if is_daily else PERIODS_OF_DAYS_MAX if is_in_days else PERIODS_OF_MONTHS_MAX
    if period_count > most:
        raise Invalid.field(
            "/period_count", "catalogue.too_many_periods", f"最多 {most} 期（日）", f"There can be at most {most} of them"
        )


def check_days(days: int | None, days_most: int, *, is_daily: bool) -> None:
    """Raises DaysRefused unless rent by the day, and only that, is asked for with a number of days that is offered."""
    if not is_daily:
        if days is not None:
            raise DaysRefused.field(
                "/days", DaysRefused.code, "该方案不按天计租，请勿填写天数", "The plan's rent is not by the day: leave days out"
            )
        return
    if days is None:
        raise DaysRefused.field(
            "/days",
            DaysRefused.code,
            "按天计租的方案请先按天数报价（days），再以 quote_id 申请",
            "A plan of rent by the day is quoted for a number of days first: give days, and apply with the quote_id",
        )
    if days > days_most:
        raise DaysRefused.field(
            "/days", DaysRefused.code, f"最多租 {days_most} 日", f"It can be rented for at most {days_most} days"
        )


def check_is_rental(is_daily: bool) -> None:
    """Raises Invalid where a financing is to be paid by the day."""
    if is_daily:
        raise Invalid.field(
            "/daily",
            "catalogue.daily_of_rentals",
            "仅租赁可按天计租，融资方案请使用 period_days",
            "Only a rental is paid by the day: a financing uses period_days",
        )


def check_daily_fields(
    *,
    rent_fen: int | None,
    residual_value_fen: int | None,
    buyout_fen: int | None,
    first_rents: int,
    ends_in: EndsIn,
    first_daily_fen: int,
) -> None:
    """Raises Invalid naming the first field that does not go with rent by the day. Amounts in fen.

    The thing always comes back: short use and nothing more, so that it is no way to hand out its value on credit.
    """
    refusals = (
        (
            rent_fen is not None,
            "/rent_fen",
            "catalogue.rent_is_by_day",
            "按天计租的租金由 daily 推算，请勿填写",
            "Rent by the day follows from daily: leave it out",
        ),
        (
            first_daily_fen == 0,
            "/daily/bands",
            "catalogue.first_day_is_free",
            "首日租金须大于零",
            "The first day must cost something",
        ),
        (
            residual_value_fen is None,
            "/residual_value_fen",
            "catalogue.end_value_missing",
            "请填写归还时的预计残值，否则无法计算年化成本",
            "Give the value expected at the return: without it the annual cost cannot be told",
        ),
        (
            buyout_fen is not None,
            "/buyout_fen",
            "catalogue.daily_comes_back",
            "按天计租的租赁物须归还，请勿填写留购价",
            "A thing rented by the day comes back: leave the buyout out",
        ),
        (
            ends_in is EndsIn.OWN,
            "/ends_in",
            "catalogue.daily_comes_back",
            "按天计租的租赁物须归还",
            "A thing rented by the day comes back",
        ),
        (
            first_rents > 1,
            "/first_rents",
            "catalogue.first_rents_of_periods",
            "按天计租按月先付，请勿填写",
            "Rent by the day is paid at the start of each month: leave it out",
        ),
    )
    for is_wrong, pointer, code, zh, en in refusals:
        if is_wrong:
            raise Invalid.field(pointer, code, zh, en)


def check_tranches(*, is_loan: bool, has_tranches: bool, is_solved: bool) -> None:
    """Raises Invalid where a leased thing is to be paid for in tranches, or a rate solved for that changes or is drawn in parts."""
    if has_tranches and not is_loan:
        raise Invalid.field(
            "/financing/tranches",
            "catalogue.tranches_of_loans",
            "租赁物一次交付，分笔放款仅适用于贷款",
            "A leased thing is handed over once: only a loan is paid out in tranches",
        )
    if is_solved:
        raise Invalid.field(
            "/rent_fen",
            "catalogue.rate_not_solvable",
            "分笔放款或约定调息的方案不能反求利率，请填写 annual_rate_pct",
            "With tranches or rate steps the rate is not solved for: give annual_rate_pct",
        )


# What serves the public interest, or may not be owned or transferred by a lessee, is not in the catalogue's categories at all; a category
# is named here when its things may be sold and leased back.
LEASED_BACK = frozenset({"equipment", "car", "truck", "motorcycle", "computer", "camera", "drone"})


def check_leaseback(*, is_leaseback: bool, is_loan: bool, category: str) -> None:
    """Raises Invalid unless what is sold and leased back (售后回租) is a thing in use of its own kind, under a finance lease.

    That seller and lessee are one does not make it another contract (finance lease interpretation 2020, art. 2), but the thing must exist,
    be theirs, free of mortgage and seizure (rules on finance lease companies, Yinbaojianfa [2020] no. 22, art. 7) and no public-interest
    property (Civil Code art. 399 (3)): the categories are a positive list, the rest the lessee warrants in the contract. For counsel.
    """
    if not is_leaseback:
        return
    if is_loan:
        raise Invalid.field(
            "/financing/is_leaseback",
            "catalogue.leaseback_of_leases",
            "售后回租须有租赁物，请使用 family = finance_lease",
            "A sale and leaseback has a thing: set family to finance_lease",
        )
    if category not in LEASED_BACK:
        raise Invalid.field(
            "/financing/is_leaseback",
            "catalogue.not_leased_back",
            f"该品类不可售后回租，仅限 {', '.join(sorted(LEASED_BACK))}",
            f"Things of this category are not leased back: only {', '.join(sorted(LEASED_BACK))}",
        )


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
) -> None:
    """Raises Invalid naming the first field of the ways a rental is paid and ends that cannot be, or that is not a financing's. Amounts in
    fen; the term is of 0 months where periods are counted in days.

    >>> check_rental_ways(is_financed=False, ends_in=EndsIn.OWN, first_rents=3, period_count=12, term_months=12, residual_value_fen=None,
    ...                   buyout_fen=0, buyout_prices_fen=(300_000, 0))
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
            len(buyout_prices_fen) > 0 and term_months == 0,
            "/buyout_prices_fen",
            "catalogue.buyout_prices_by_month",
            "各月买断价须按月计期，请填写 period_months",
            "Prices by month need periods in months: give period_months",
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
