"""Risk classes of what customers owe (金融资产五级分类), and when interest is no longer accrued.

Normal, attention, substandard, doubtful, loss: the last three are non-performing (Measures on the Risk Classification of Financial Assets
of Commercial Banks, order no. 1 of 2023 of the CBIRC and the PBOC, in force since 2023-07-01, arts. 10 to 13). The measures bind banks;
lessors and lenders of local licence follow them by their own supervisors' rules, and so do we. An asset is in the worst class any ground
asks for. Days past due are hard lines: more than 90 is substandard, 270 doubtful, 360 loss; an overdue of at most seven days for a
technical reason leaves an asset normal, any other makes it attention.

A tenant may draw its lines earlier, as leasing practice does with 90, 180 and 270 days, never later: ``matrix`` refuses.
"""

from __future__ import annotations

from dataclasses import dataclass

from xinzu.back.billing.model import AssetClass
from xinzu.kernel.errors import Invalid
from xinzu.kernel.time import BusinessDate, add_months

NON_ACCRUAL_DAYS = 90
CURE_MONTHS = 6
CURE_PERIODS = 2
OBSERVATION_MONTHS = 12
OBSERVATION_PERIODS = 2
IMPAIRED_DOUBTFUL_PCT = 50
IMPAIRED_LOSS_PCT = 90


SEVERITY = {each: n for n, each in enumerate(AssetClass)}
NON_PERFORMING = frozenset({AssetClass.SUBSTANDARD, AssetClass.DOUBTFUL, AssetClass.LOSS})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMatrix:
    """A class begins when days past due are more than its number."""

    name: str
    attention_days: int
    substandard_days: int
    doubtful_days: int
    loss_days: int

    @property
    def lines(self) -> tuple[int, int, int, int]:
        return self.attention_days, self.substandard_days, self.doubtful_days, self.loss_days

    def of_days(self, days_past_due: int) -> AssetClass:
        """The class by days past due alone.

        >>> [MEASURES_2023.of_days(days).value for days in (7, 8, 90, 91, 271, 361)]
        ['normal', 'attention', 'attention', 'substandard', 'doubtful', 'loss']
        """
        return tuple(AssetClass)[sum(days_past_due > line for line in self.lines)]


MEASURES_2023 = ClassMatrix(name="measures_2023", attention_days=7, substandard_days=90, doubtful_days=270, loss_days=360)
LEASING_PRACTICE = ClassMatrix(name="leasing_90_180_270", attention_days=0, substandard_days=90, doubtful_days=180, loss_days=270)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFacts:
    """What is known of one asset and its debtor on a day.

    ``impaired_loss_pct`` is the expected loss in percent of the carrying amount when the asset is credit-impaired, else None.
    ``is_restructured`` while the observation period runs, ``restructured_count`` is how often within it. ``stands`` is the class so far and
    ``is_cured`` whether what ``is_cured_on`` asks for is fulfilled: without it a non-performing asset does not become better than
    substandard.
    """

    days_past_due: int
    stands: AssetClass = AssetClass.NORMAL
    is_cured: bool = False
    is_refinanced: bool = False
    is_misused: bool = False
    is_restructured: bool = False
    restructured_count: int = 0
    impaired_loss_pct: int | None = None
    evades_debt: bool = False
    is_bankrupt: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """One reason, the class it asks for at least, and the words for it."""

    code: str
    at_least: AssetClass
    article: str
    words_zh: str
    words_en: str


@dataclass(frozen=True, slots=True)
class Classified:
    """The class, and every ground that asks for more than normal."""

    asset_class: AssetClass
    grounds: tuple[Ground, ...]


def classify_asset(facts: AssetFacts, matrix: ClassMatrix = MEASURES_2023) -> Classified:
    """The worst class that a ground asks for. Never better as days past due grow.

    >>> classify_asset(AssetFacts(days_past_due=91)).asset_class.value
    'substandard'
    """
    grounds = tuple(ground for ground in _grounds(facts, matrix) if ground.at_least is not AssetClass.NORMAL)
    return Classified(max((ground.at_least for ground in grounds), key=SEVERITY.__getitem__, default=AssetClass.NORMAL), grounds)


def matrix(name: str, attention_days: int, substandard_days: int, doubtful_days: int, loss_days: int) -> ClassMatrix:
    """A tenant's own lines. Raises Invalid (billing.class_matrix_refused) when one is later than the measures' or not after the one before."""
    own = ClassMatrix(
        name=name,
        attention_days=attention_days,
        substandard_days=substandard_days,
        doubtful_days=doubtful_days,
        loss_days=loss_days,
    )
    before = -1
    names = ("attention_days", "substandard_days", "doubtful_days", "loss_days")
    for field, line, latest in zip(names, own.lines, MEASURES_2023.lines, strict=True):
        if not before < line <= latest:
            raise Invalid.field(
                f"/{field}",
                "billing.class_matrix_refused",
                f"{field}：须大于前一档且不晚于监管标准的 {latest} 天",
                f"{field} must be after the line before and not later than {latest} days, the measures' line",
            )
        before = line
    return own


def accrues_interest(days_past_due: int) -> bool:
    """Whether interest still enters income: no longer after 90 days past due. It is then kept off the books and is income when paid; what
    was accrued and not paid is taken back (State Taxation Administration announcement no. 23 of 2010).

    >>> accrues_interest(90), accrues_interest(91)
    (True, False)
    """
    return days_past_due <= NON_ACCRUAL_DAYS


def is_cured_on(cleared_on: BusinessDate, periods_paid: int, on: BusinessDate) -> bool:
    """Whether a non-performing asset may become better: all arrears were paid on ``cleared_on``, and since then two periods and six months,
    whichever is longer, were paid on time (measures art. 16)."""
    return periods_paid >= CURE_PERIODS and on >= add_months(cleared_on, CURE_MONTHS)


def is_observed_on(first_due_on: BusinessDate, periods_paid: int, on: BusinessDate) -> bool:
    """Whether the observation period of a restructured asset still runs: a year from the first due date under the new terms, two periods
    at least (measures art. 20). It begins again with the first date that is not paid on time."""
    return periods_paid < OBSERVATION_PERIODS or on < add_months(first_due_on, OBSERVATION_MONTHS)


def _grounds(facts: AssetFacts, lines: ClassMatrix) -> tuple[Ground, ...]:
    days, normal = facts.days_past_due, AssetClass.NORMAL
    impaired = facts.impaired_loss_pct

    def when(holds: bool, at_least: AssetClass) -> AssetClass:
        return at_least if holds else normal

    return (
        Ground("days_past_due", lines.of_days(days), "arts. 10–13", f"逾期 {days} 天", f"{days} days past due"),
        Ground(
            "refinanced",
            when(facts.is_refinanced, AssetClass.ATTENTION),
            "art. 10",
            "借新还旧或以其他融资偿还",
            "Repaid by new borrowing",
        ),
        Ground(
            "misused",
            when(facts.is_misused, AssetClass.ATTENTION),
            "art. 10",
            "未按约定用途使用",
            "Not used for the agreed purpose",
        ),
        Ground(
            "restructured",
            when(facts.is_restructured, AssetClass.ATTENTION),
            "art. 21",
            "重组资产，处于观察期",
            "Restructured and under observation",
        ),
        Ground(
            "restructured_again",
            when(facts.is_restructured and facts.restructured_count > 1, AssetClass.SUBSTANDARD),
            "art. 23",
            "观察期内再次重组",
            "Restructured again while under observation",
        ),
        Ground(
            "impaired",
            _class_of_impairment(impaired),
            "arts. 11–13",
            f"已发生信用减值，预期损失 {impaired}%",
            f"Impaired by {impaired} %",
        ),
        Ground("evades_debt", when(facts.evades_debt, AssetClass.DOUBTFUL), "art. 12", "逃废债务", "Evades the debt"),
        Ground(
            "bankrupt",
            when(facts.is_bankrupt, AssetClass.LOSS),
            "art. 13",
            "债务人进入破产清算",
            "The debtor is in bankruptcy liquidation",
        ),
        Ground(
            "not_cured",
            when(facts.stands in NON_PERFORMING and not facts.is_cured, AssetClass.SUBSTANDARD),
            "art. 16",
            "不良资产尚不符合上调条件",
            "Non-performing and not yet cured",
        ),
    )


def _class_of_impairment(loss_pct: int | None) -> AssetClass:
    if loss_pct is None:
        return AssetClass.NORMAL
    if loss_pct >= IMPAIRED_LOSS_PCT:
        return AssetClass.LOSS
    return AssetClass.DOUBTFUL if loss_pct >= IMPAIRED_DOUBTFUL_PCT else AssetClass.SUBSTANDARD
